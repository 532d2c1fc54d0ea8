# Starts an emulator that outlives us, and waits until it listens: launch.pl DIRECTORY MEMORY PATIENCE WRITER COMMAND...
# MEMORY is the file of its descriptor 3, or empty; PATIENCE the seconds after which it is killed, unless it listens; WRITER
# the program that writes its console down.
use strict;
use warnings;
use POSIX ();

umask 077;
my ($directory, $memory, $patience, $writer, @command) = @ARGV;
chdir $directory or die "$directory: $!\n";
unlink 'qmp';
$^F = 3;
my $saved;
if (length $memory) {
    open $saved, '<', $memory or die "$memory: $!\n";
    POSIX::dup2(fileno $saved, 3) or die "$memory: $!\n";
}
open my $console, '>>', 'console.log' or die "console.log: $!\n";
pipe my $printed, my $screen or die "pipe: $!\n";

sub begin {
    my ($in, $out, $err, @words) = @_;
    defined(my $child = fork) or die "fork: $!\n";
    return $child if $child;
    POSIX::setsid();
    open STDIN, '<&', $in;
    open STDOUT, '>&', $out;
    open STDERR, '>&', $err;
    exec @words or POSIX::_exit(127);
}

open my $nothing, '+<', '/dev/null' or die "/dev/null: $!\n";
open my $said, '>', 'emulator.log' or die "emulator.log: $!\n";
begin($printed, $nothing, $nothing, 'perl', '-e', $writer, 'console.log');
my $emulator = begin($nothing, $screen, $said, @command);
close $screen;
# Looks are counted, for the clock may be set meanwhile.
my ($pause, $looks) = (0.02, 0);
until (-S 'qmp') {
    die "it has ended\n" if waitpid($emulator, POSIX::WNOHANG()) == $emulator;
    if ($looks++ * $pause > $patience) {
        kill 'KILL', $emulator;
        die "it does not listen after $patience s\n";
    }
    select undef, undef, undef, $pause;
}
