# Prints the frames that pass through a network as pcap, until its input ends or so many bytes are printed:
# capture BYTES group ADDRESS PORT: one of virtual machines, each frame a datagram;
# capture BYTES link NAME: one of an interface, by whoever may open raw sockets.
# On its standard error it says that it listens, and that it has stopped before the end. What is read slower than it comes,
# over a network, waits in memory.
use strict;
use warnings;
use Errno;
use IO::Handle;
use IO::Select;
use Socket;
use Time::HiRes;

my ($limit, $kind, $name, $port) = @ARGV;
my ($ethernet, $longest) = (1, 262144);
# Numbers of Linux's headers, which Perl has no names for.
my ($af_packet, $all_frames, $sol_packet, $add_membership, $promiscuous, $force_buffer) = (17, 3, 263, 1, 1, 33);

my $network;
if ($kind eq 'group') {
    socket $network, PF_INET, SOCK_DGRAM, 0 or die "no socket: $!\n";
    setsockopt $network, SOL_SOCKET, SO_REUSEADDR, 1 or die "$!\n";
    bind $network, pack_sockaddr_in($port, inet_aton($name)) or die "$name:$port cannot be heard: $!\n";
    my $where = Socket::pack_ip_mreq(inet_aton($name), INADDR_LOOPBACK);
    setsockopt $network, Socket::IPPROTO_IP, Socket::IP_ADD_MEMBERSHIP, $where or die "$name cannot be joined: $!\n";
} else {
    open my $file, '<', "/sys/class/net/$name/ifindex" or die "there is no interface $name on this machine\n";
    my $index = <$file> + 0;
    socket $network, $af_packet, SOCK_RAW, 0 or die "raw sockets are for root, and for who has CAP_NET_RAW: $!\n";
    bind $network, pack('S n i S C C a8', $af_packet, $all_frames, $index, 0, 0, 0, '') or die "$name: $!\n";
    setsockopt $network, $sol_packet, $add_membership, pack('i S S a8', $index, $promiscuous, 0, '') or die "$name: $!\n";
}
# More than the system grants without root is a wish.
setsockopt $network, SOL_SOCKET, $_, 4 * 1024 * 1024 for SO_RCVBUF, $force_buffer;

binmode STDOUT;
STDOUT->blocking(0);
my ($taken, $pending, $over) = (0, '', 0);
sub put {
    my ($bytes) = @_;
    if ($taken + length $bytes > $limit) { print STDERR "cut\n"; $over = 1; return }
    $pending .= $bytes;
    $taken += length $bytes;
}
put(pack 'L S S l L L L', 0xa1b2c3d4, 2, 4, 0, 0, $longest, $ethernet);
print STDERR "ready\n";

my ($both, $reader) = (IO::Select->new($network, \*STDIN), IO::Select->new(\*STDOUT));
while (!$over || length $pending) {
    my ($come, $taking) = IO::Select->select($over ? undef : $both, length $pending ? $reader : undef, undef);
    if (!$over) {
        # What has come before the end of the input is still read.
        my $last = grep { $_ == \*STDIN } @$come;
        my $frame;
        while (!$over && defined recv $network, $frame, $longest, MSG_DONTWAIT) {
            my ($seconds, $micros) = Time::HiRes::gettimeofday();
            put(pack('L L L L', $seconds, $micros, (length $frame) x 2) . $frame);
        }
        $over ||= $last;
    }
    next unless $taking && @$taking;
    my $sent = syswrite STDOUT, $pending;
    if (defined $sent) { substr $pending, 0, $sent, '' }
    else { die "$!\n" unless $!{EAGAIN} }
}
