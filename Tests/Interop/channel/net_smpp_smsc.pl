#!/usr/bin/perl
# An SMSC made of Net::SMPP: net_smpp_smsc.pl PORT FOLDER. Answers every submit_sm with an id of its own and sends a receipt for each, in
# the text form alone. While FOLDER/hold is there receipts wait; they go out over any bind that receives. What it sees is appended to
# FOLDER/seen, one line an event: bind KIND, submit ID SOURCE DESTINATION ESM CODING HEX, receipt ID STATUS.
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use Net::SMPP;

my ($port, $folder) = @ARGV;
open my $seen, '>>', "$folder/seen" or die "cannot write $folder/seen: $!";
$seen->autoflush(1);
my $listener = Net::SMPP->new_listen('127.0.0.1', port => $port, smpp_version => 0x34, async => 1) or die "cannot listen: $!";
my $select = IO::Select->new($listener);
my %bound;        # by file number: kind of bind
my @waiting;      # receipts that no bind has got
my %open;         # by file number and sequence: receipt without an answer
my $number = 4711;

sub refuse { my ($link, $pdu) = @_; $link->generic_nack(seq => $pdu->{seq}, status => 3) }

sub gone {
    my ($link) = @_;
    my $file = fileno $link;
    $select->remove($link);
    delete $bound{$file};
    # Without an answer they belong to the next bind.
    push @waiting, map { delete $open{$_} } grep { /^$file:/ } sort keys %open;
    close $link;
}

sub bind_to {
    my ($link, $pdu, $kind) = @_;
    $link->set_version(0x34);
    my %answer = (system_id => 'NETSMPP', seq => $pdu->{seq});
    if ($pdu->{system_id} ne 'martlet' || $pdu->{password} ne 'secret') { $answer{status} = 0x0E }
    $kind eq 'receiver' ? $link->bind_receiver_resp(%answer)
        : $kind eq 'transmitter' ? $link->bind_transmitter_resp(%answer) : $link->bind_transceiver_resp(%answer);
    print $seen "bind $kind\n";
    $bound{fileno $link} = $kind unless $answer{status};
}

sub submitted {
    my ($link, $pdu) = @_;
    my $id = ++$number;
    my $hex = unpack 'H*', $pdu->{short_message};
    print $seen "submit $id $pdu->{source_addr} $pdu->{destination_addr} $pdu->{esm_class} $pdu->{data_coding} $hex\n";
    $link->submit_sm_resp(message_id => $id, seq => $pdu->{seq});
    push @waiting, { id => $id, from => $pdu->{destination_addr}, to => $pdu->{source_addr} } if $pdu->{registered_delivery} & 1;
}

sub send_receipts {
    return if -e "$folder/hold" || !@waiting;
    for my $link ($select->handles) {
        next if $link == $listener || ($bound{fileno $link} || 'transmitter') eq 'transmitter';
        while (my $one = shift @waiting) {
            my $text = "id:$one->{id} sub:001 dlvrd:001 submit date:2611221804 done date:2611221805 stat:DELIVRD err:000 text:";
            my $sequence = $link->deliver_sm(
                source_addr => $one->{from}, source_addr_ton => 1, source_addr_npi => 1, destination_addr => $one->{to},
                esm_class => 4, short_message => $text);
            $open{fileno($link) . ":$sequence"} = $one;
        }
        return;
    }
}

while (1) {
    for my $link ($select->can_read(0.05)) {
        if ($link == $listener) {
            my $accepted = $listener->accept or next;
            $select->add($accepted);
            next;
        }
        my $pdu = $link->read_pdu;
        if (!defined $pdu) { gone($link); next; }
        my $command = $pdu->{cmd};
        if ($command == 1) { bind_to($link, $pdu, 'receiver') }
        elsif ($command == 2) { bind_to($link, $pdu, 'transmitter') }
        elsif ($command == 9) { bind_to($link, $pdu, 'transceiver') }
        elsif ($command == 4) { submitted($link, $pdu) }
        elsif ($command == 0x15) { $link->enquire_link_resp(seq => $pdu->{seq}) }
        elsif ($command == 6) { $link->unbind_resp(seq => $pdu->{seq}); gone($link) }
        elsif ($command == 0x80000005) {
            my $one = delete $open{fileno($link) . ":$pdu->{seq}"};
            print $seen "receipt $one->{id} $pdu->{status}\n" if $one;
            push @waiting, $one if $one && $pdu->{status};
        }
        elsif ($command < 0x80000000) { refuse($link, $pdu) }
    }
    send_receipts();
}
