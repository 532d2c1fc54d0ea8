# Carries what it reads to a socket, and what comes from there to its output: relay.pl DIRECTORY SOCKET.
# A first character says that it is connected.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

# Addresses of sockets are short.
chdir $ARGV[0] or die "$ARGV[0]: $!\n";
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[1]) or die "$ARGV[1]: $!\n";

sub pass_on {
    my ($to, $text) = @_;
    while (length $text) {
        my $sent = syswrite $to, $text or exit 1;
        substr $text, 0, $sent, '';
    }
}

pass_on(\*STDOUT, '+');
my $both = IO::Select->new(\*STDIN, $socket);
while (1) {
    for my $from ($both->can_read) {
        sysread $from, my $text, 65536 or exit 0;
        pass_on($from == $socket ? \*STDOUT : $socket, $text);
    }
}
