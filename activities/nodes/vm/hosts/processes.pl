# Names the processes whose first argument is -name and whose second is ours: processes.pl NAME.
use strict;
use warnings;

for my $process (glob '/proc/[0-9]*') {
    open my $file, '<', "$process/cmdline" or next;
    local $/;
    my (undef, $option, $name) = split /\0/, <$file> // '';
    print substr($process, 6), "\n" if defined $name and $option eq '-name' and $name eq $ARGV[0];
}
