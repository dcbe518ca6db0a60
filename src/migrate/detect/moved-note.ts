// The note that a migration leaves in LXD's directory.

/** Its presence says that what once was in the folder has moved. */
export const movedNote = 'README.moved-to-incus';
