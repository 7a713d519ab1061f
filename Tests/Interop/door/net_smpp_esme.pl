#!/usr/bin/perl
# A sender system made of Net::SMPP: net_smpp_esme.pl PORT transceiver|split PASSWORD. Submits what it reads from standard input, one line a
# submit_sm (ESM CODING HEX), asks for receipts, waits for them, asks once by query_sm, unbinds. Prints one line an event.
use strict;
use warnings;
use IO::Select;
use Net::SMPP;

$| = 1;
my ($port, $how, $password) = @ARGV;
my %account = (port => $port, system_id => 'core', password => $password, smpp_version => 0x34, interface_version => 0x34, async => 0);

sub bound {
    my ($kind, $link, $answer) = @_;
    die "no connection\n" unless $link;
    printf "bound %s %d %s\n", $kind, $answer->{status}, $answer->{system_id} // '';
    exit 1 if $answer->{status};
    return $link;
}

my $sender = $how eq 'split' ? bound('transmitter', Net::SMPP->new_transmitter('127.0.0.1', %account))
    : bound('transceiver', Net::SMPP->new_transceiver('127.0.0.1', %account));
my $hearer = $how eq 'split' ? bound('receiver', Net::SMPP->new_receiver('127.0.0.1', %account)) : $sender;

my %open;
while (my $line = <STDIN>) {
    my ($esm, $coding, $hex) = split ' ', $line;
    my $sequence = $sender->submit_sm(
        async => 1, source_addr_ton => 5, source_addr => 'HARBOUR', dest_addr_ton => 1, dest_addr_npi => 1,
        destination_addr => '447700900123', esm_class => $esm, data_coding => $coding, registered_delivery => 1,
        short_message => pack('H*', $hex));
    $open{$sequence} = 1;
}
my $wanted = scalar keys %open;
my ($answers, $receipts, $last) = (0, 0, '');
my $select = IO::Select->new($sender, $hearer == $sender ? () : $hearer);
my $end = time + 20;
while (($answers < $wanted || $receipts < $wanted) && time < $end) {
    for my $link ($select->can_read(0.2)) {
        my $pdu = $link->read_pdu or do { print "closed\n"; exit 1 };
        if ($pdu->{cmd} == 0x80000004) {
            $answers++;
            $last = $pdu->{message_id} // '';
            print "answer $last $pdu->{status}\n";
        } elsif ($pdu->{cmd} == 5) {
            $receipts++;
            my ($id) = $pdu->{short_message} =~ /id:(\S+)/;
            my ($state) = $pdu->{short_message} =~ /stat:(\S+)/;
            (my $parameter = $pdu->{receipted_message_id} // '') =~ s/\0//g;
            print "receipt $id $state $parameter\n";
            $link->deliver_sm_resp(seq => $pdu->{seq}, message_id => '');
        } elsif ($pdu->{cmd} == 0x15) {
            $link->enquire_link_resp(seq => $pdu->{seq});
        }
    }
}
my $asked = $sender->query_sm(message_id => $last, source_addr_ton => 5, source_addr => 'HARBOUR');
printf "query %s %d %d\n", $asked->{message_id}, $asked->{message_state}, $asked->{status};
my $alive = $sender->enquire_link();
printf "alive %d\n", $alive->{status};
for my $link ($sender, $hearer == $sender ? () : $hearer) {
    my $answer = $link->unbind();
    printf "unbound %d\n", $answer->{status};
}
