#!/usr/bin/perl
# Runs a command and does something to it at the n-th system call that changes something, counted over the command and
# all its children together. strace counts for each thread and each call by itself (strace(1), "when="), and would go on
# into the daemons; this one lets go of them, as if a service manager had started them.
#   at-call.pl LOG ACTION FIRST LAST COMMAND...
# LOG: a line for each call: number, process, name, path. ACTION: count; kill: the command with its children; hold: they
# stand still for good; INT, TERM: that signal to the command; ENOSPC, EIO, EROFS: calls FIRST to LAST fail with it.
use strict;
use warnings;

my ($log_path, $action, $first, $last, @command) = @ARGV;
die "usage: at-call.pl LOG ACTION FIRST LAST COMMAND...\n" unless @command;

# x86-64. [name, which argument is the path, or the file descriptor that must be one of a file]
my %calls = (
  1 => ['write', undef, 0], 18 => ['pwrite64', undef, 0], 20 => ['writev', undef, 0], 296 => ['pwritev', undef, 0],
  74 => ['fsync', undef, 0], 75 => ['fdatasync', undef, 0], 77 => ['ftruncate', undef, 0], 91 => ['fchmod', undef, 0],
  93 => ['fchown', undef, 0], 326 => ['copy_file_range', undef, 2], 40 => ['sendfile', undef, 0],
  82 => ['rename', 0], 264 => ['renameat', 1], 316 => ['renameat2', 1], 87 => ['unlink', 0], 263 => ['unlinkat', 1],
  83 => ['mkdir', 0], 258 => ['mkdirat', 1], 84 => ['rmdir', 0], 88 => ['symlink', 1], 266 => ['symlinkat', 2],
  86 => ['link', 1], 265 => ['linkat', 3], 90 => ['chmod', 0], 268 => ['fchmodat', 1], 452 => ['fchmodat2', 1],
  92 => ['chown', 0], 94 => ['lchown', 0], 260 => ['fchownat', 1], 165 => ['mount', 1], 166 => ['umount2', 0],
  188 => ['setxattr', 0], 189 => ['lsetxattr', 0],
);
my %errno = (ENOSPC => 28, EIO => 5, EROFS => 30);
# No disk is full, broken or read-only to these.
my %spared = map { $_ => 1 } qw(mount umount2);
my $daemons = qr{/(?:lxd|incusd|lxc|incus|dnsmasq)$};

my ($GETREGS_OP, $TRACEME, $POKEUSER, $DETACH, $SYSCALL, $SETOPTIONS) = (0x420e, 0, 6, 17, 24, 0x4200);
my $options = 1 | 2 | 4 | 8 | 0x10 | 0x100000; # SYSGOOD FORK VFORK CLONE EXEC EXITKILL

sub ptrace { return syscall(101, $_[0], $_[1], $_[2], $_[3]); }

my $child = fork() // die "fork: $!\n";
if ($child == 0) {
  ptrace($TRACEME, 0, 0, 0) == 0 or die "ptrace: $!\n";
  kill 'STOP', $$;
  exec { $command[0] } @command or die "$command[0]: $!\n";
}
open(my $log, '>', $log_path) or die "$log_path: $!\n";
$log->autoflush(1) if $log->can('autoflush');
select((select($log), $| = 1)[0]);

my ($count, $status, %seen, %failing) = (0);
waitpid($child, 0);
ptrace($SETOPTIONS, $child, 0, $options) == 0 or die "ptrace: $!\n";
ptrace($SYSCALL, $child, 0, 0);
$seen{$child} = 1;

for (;;) {
  my $buffer = pack('i', 0);
  my $pid = syscall(61, -1, $buffer, 0x40000000, 0);
  if ($pid < 0) { next if $!{EINTR}; last; }
  my $wait = unpack('i', $buffer);
  if (($wait & 0xff) != 0x7f) {
    $status = $wait if $pid == $child;
    delete $seen{$pid};
    next;
  }
  my $signal = ($wait >> 8) & 0xff;
  my $event = $wait >> 16;
  my $pass = 0;
  if ($signal == (5 | 0x80)) { at_call($pid); }
  elsif ($event == 4) {
    # A daemon, or a client of one: its own business.
    if ((readlink("/proc/$pid/exe") // '') =~ $daemons) { ptrace($DETACH, $pid, 0, 0); delete $seen{$pid}; next; }
  }
  elsif ($event != 0) { }
  elsif (!$seen{$pid} && $signal == 19) { }
  else { $pass = $signal; }
  $seen{$pid} = 1;
  ptrace($SYSCALL, $pid, 0, $pass);
}
exit(defined $status && ($status & 0x7f) == 0 ? $status >> 8 : 137);

sub at_call {
  my ($pid) = @_;
  my $info = "\0" x 88;
  return if ptrace($GETREGS_OP, $pid, 88, $info) < 32;
  my $op = unpack('C', $info);
  if ($op == 2) {
    # Where the call was replaced by none, its answer is put in place of ENOSYS.
    my $error = delete $failing{$pid};
    ptrace($POKEUSER, $pid, 80, -$error) if $error;
    return;
  }
  return if $op != 1;
  my ($nr, @args) = unpack('x24 Q7', $info);
  my $call = $calls{$nr} or return;
  my ($name, $path_at, $file_at) = @$call;
  my $path;
  if (defined $path_at) { $path = text_at($pid, $args[$path_at]); }
  else {
    $path = readlink("/proc/$pid/fd/$args[$file_at]") // '';
    return unless $path =~ m{^/} && $path !~ m{^/(?:dev|proc)/};
  }
  $count += 1;
  print $log "$count $pid $name $path\n";
  return if $count < $first || $count > $last || $action eq 'count';
  # All that is traced dies with this process (EXITKILL), the call undone.
  if ($action eq 'kill') { close $log; exit 137; }
  if ($action eq 'hold') { print $log "held\n"; sleep 1000 while 1; }
  if (my $number = $errno{$action}) {
    return if $spared{$name};
    ptrace($POKEUSER, $pid, 120, -1);
    $failing{$pid} = $number;
  }
  else { kill $action, $child; }
}

sub text_at {
  my ($pid, $address) = @_;
  open(my $memory, '<:raw', "/proc/$pid/mem") or return '';
  sysseek($memory, $address, 0) or return '';
  my $text = '';
  sysread($memory, $text, 512) or return '';
  $text =~ s/\0.*//s;
  $text =~ s/[^ -~]/?/g;
  return $text;
}
