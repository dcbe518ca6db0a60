// The tool's own folder, unless told.

export const usualState = '/var/lib/lxd-to-incus';
