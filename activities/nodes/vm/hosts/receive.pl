# Waits at a socket for one connection, and writes what comes by it into a new file: receive.pl DIRECTORY SOCKET FILE.
# A first character says that it listens. It ends when nobody waits for it any more.
use strict;
use warnings;
use Fcntl;
use IO::Handle;
use IO::Select;
use IO::Socket::UNIX;

# Addresses of sockets are short.
chdir $ARGV[0] or die "$ARGV[0]: $!\n";
unlink $ARGV[1];
my $listening = IO::Socket::UNIX->new(Local => $ARGV[1], Listen => 1) or die "$ARGV[1]: $!\n";
sysopen my $file, $ARGV[2], O_WRONLY | O_CREAT | O_EXCL, 0600 or die "$ARGV[2]: $!\n";
syswrite STDOUT, '+';
my $waiting = IO::Select->new(\*STDIN, $listening);
my ($first) = $waiting->can_read;
unlink $ARGV[1];
exit 1 if $first == \*STDIN;
my $socket = $listening->accept or die "$ARGV[1]: $!\n";
while (sysread $socket, my $text, 1048576) {
    while (length $text) {
        defined(my $written = syswrite $file, $text) or die "$ARGV[2]: $!\n";
        substr $text, 0, $written, '';
    }
}
$file->sync or die "$ARGV[2]: $!\n";
