# Writes the frames that pass through a network to a file as pcap, until its input ends or the file is full:
# capture FILE BYTES group ADDRESS PORT: one of virtual machines, each frame a datagram;
# capture FILE BYTES link NAME: one of an interface, by whoever may open raw sockets.
use strict;
use warnings;
use IO::Select;
use Socket;
use Time::HiRes;

my ($path, $limit, $kind, $name, $port) = @ARGV;
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

open my $to, '>', $path or die "$path: $!\n";
binmode $to;
my $written = 0;
sub put {
    my ($bytes) = @_;
    if ($written + length $bytes > $limit) { print "cut\n"; close $to or die "$path: $!\n"; exit 0 }
    print {$to} $bytes or die "$path: $!\n";
    $written += length $bytes;
}
put(pack 'L S S l L L L', 0xa1b2c3d4, 2, 4, 0, 0, $longest, $ethernet);
$| = 1;
print "ready\n";

my $both = IO::Select->new($network, \*STDIN);
for (my $over = 0; !$over;) {
    # What has come before the end of the input is still read.
    $over = grep { $_ == \*STDIN } $both->can_read;
    my $frame;
    while (defined recv $network, $frame, $longest, MSG_DONTWAIT) {
        my ($seconds, $micros) = Time::HiRes::gettimeofday();
        put(pack('L L L L', $seconds, $micros, (length $frame) x 2) . $frame);
    }
}
close $to or die "$path: $!\n";
