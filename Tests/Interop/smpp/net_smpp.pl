#!/usr/bin/perl
# Decodes the PDUs of Tests/Golden/smpp.hex given on standard input with Net::SMPP, and prints what it sees, one line a field:
# PDU, field, value (lists joined by commas). Used by pdus_check.py.
use strict;
use warnings;
use Net::SMPP;
use Symbol;

# What a connection would know: the version of its bind.
my $session = gensym;
${*$session}{smpp_version} = 0x34;

while (my $line = <STDIN>) {
    chomp $line;
    my ($name, $hex) = split / /, $line;
    my $octets = pack 'H*', $hex;
    my ($length, $command, $status, $sequence) = unpack 'NNNN', $octets;
    my $known = Net::SMPP::pdu_tab->{$command} or do { print "$name\tunknown\t$command\n"; next; };
    my $pdu = { cmd => $command, status => $status, seq => $sequence, data => substr($octets, 16) };
    # A refusal's header has no body to decode.
    if (length $pdu->{data}) {
        my $mandatory = eval { $known->{decode}->($pdu, $session) };
        if (!defined $mandatory) { print "$name\terror\t$@\n"; next; }
        if ($mandatory < length $pdu->{data}) { Net::SMPP::decode_optional_params($pdu, $mandatory); }
    }
    for my $field (sort keys %$pdu) {
        next if $field eq 'data' || !defined $pdu->{$field};
        my $value = $pdu->{$field};
        $value = join ',', @$value if ref $value eq 'ARRAY';
        next if ref $value;
        $value =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
        print "$name\t$field\t$value\n";
    }
}
