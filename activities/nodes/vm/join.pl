#!/usr/bin/perl
# Joins a person's ssh to a machine by the port that is theirs, as its ProxyCommand: join DIRECTORY.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

# Addresses of sockets are short.
chdir $ARGV[0] or die "the machine is gone: $!\n";
# Nothing is sent before the greeting: what a port is sent while the sshd of an earlier connection ends is lost with it.
my ($port, $seen);
for my $patience (3, 6, 12, 24) {
    $seen = '';
    $port = IO::Socket::UNIX->new(Peer => 'person') or die "the machine does not run any more: $!\n";
    my $waiting = IO::Select->new($port);
    while ($seen !~ /SSH-2\.0/ and $waiting->can_read($patience)) {
        sysread $port, $seen, 4096, length $seen or last;
    }
    last if $seen =~ /SSH-2\.0/;
    close $port;
}
$seen =~ s/.*?(?=SSH-2\.0)//s or die "the machine does not answer: it hangs, or somebody else is connected to it\n";

sub pass_on {
    my ($to, $text) = @_;
    while (length $text) {
        my $sent = syswrite $to, $text or exit 1;
        substr $text, 0, $sent, '';
    }
}

pass_on(\*STDOUT, $seen);
my $both = IO::Select->new(\*STDIN, $port);
while (1) {
    for my $from ($both->can_read) {
        sysread $from, my $text, 65536 or exit 0;
        pass_on($from == $port ? \*STDOUT : $port, $text);
    }
}
