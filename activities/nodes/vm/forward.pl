# The emulator starts one for each connection of a machine to something outside that it may speak to: forward.pl HOST PORT.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($host, $port) = @ARGV;
my $outside = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 30) or exit 1;
my $from = IO::Select->new(\*STDIN, $outside);
while (1) {
    for my $end ($from->can_read) {
        my $inside = $end == \*STDIN;
        my $read = sysread $end, my $part, 65536;
        if (not $read) {
            # Who has said all still listens; where the outside has ended, nothing is left to hear.
            exit 0 unless $inside;
            shutdown $outside, 1;
            $from->remove(\*STDIN);
            next;
        }
        while (length $part) {
            my $written = syswrite $inside ? $outside : \*STDOUT, $part;
            exit 1 unless $written;
            substr $part, 0, $written, '';
        }
    }
}
