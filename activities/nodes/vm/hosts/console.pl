# Writes what it reads to the end of a file, of which the last MiB stays, and 2 at most.
# What cannot be written, because the disk is full, is lost: it reads on, for the machine waits for it.
use strict;
use warnings;

my $kept = 1024 * 1024;
open my $file, '+<', $ARGV[0] or die "$ARGV[0]: $!\n";
while (sysread STDIN, my $text, 65536) {
    if (sysseek($file, 0, 2) >= 2 * $kept) {
        sysseek $file, -$kept, 2;
        sysread $file, my $end, $kept;
        sysseek $file, 0, 0;
        syswrite $file, $end;
        truncate $file, $kept;
    }
    syswrite $file, $text;
}
