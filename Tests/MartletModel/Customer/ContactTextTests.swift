import Testing

@testable import MartletModel

/// One form for each address, however it is written.
@Suite struct ContactTextTests {
    @Test(
        "A number is the same with blanks, hyphens, brackets and 00",
        arguments: ["+447700900123", "0044 7700 900 123", "+44 (7700) 900-123", "+44.7700/900.123"])
    func same(text: String) throws {
        #expect(try PhoneNumber.written(text.utf8).digits == 447_700_900_123)
    }

    @Test(
        "A number that is none, or national, is refused by its reason",
        arguments: [
            ("07700 900123", PhoneNumber.Fault.missingPlus), ("", .missingPlus), ("+44x7700900123", .notADigit), ("+1234", .tooShort),
            ("+4477009001234567", .tooLong), ("+0477009001", .leadingZero), ("123456789012345678901234567890", .tooLong),
        ])
    func refused(text: String, fault: PhoneNumber.Fault) {
        #expect(throws: fault) { try PhoneNumber.written(text.utf8) }
    }

    @Test("A mail address keeps its writing but for the domain, and is folded for its hash")
    func mail() throws {
        let address = try MailAddress.written(Array(" Anna.Nowak+bank@Mail.Example ".utf8))
        #expect(address.text == "Anna.Nowak+bank@mail.example")
        #expect(address.folded == Array("anna.nowak+bank@mail.example".utf8))
        #expect(address.masked == "A•••@mail.example")
        #expect(try MailAddress.written(Array("żaneta@xn--80ak6aa92e.example".utf8)).text == "żaneta@xn--80ak6aa92e.example")
    }

    @Test(
        "A mail address that is none is refused by its reason",
        arguments: [
            ("anna", MailAddress.Fault.missingAt), ("@mail.example", .localPart), (".anna@mail.example", .localPart),
            ("an..na@mail.example", .localPart), ("an na@mail.example", .localPart), ("\"anna\"@mail.example", .localPart),
            ("anna@", .domain), ("anna@mail", .domain), ("anna@-mail.example", .domain), ("anna@mail-.example", .domain),
            ("anna@mail..example", .domain), ("anna@mail.example.", .domain), ("anna@mäil.example", .domain),
            ("anna@\(String(repeating: "a", count: 64)).example", .domain),
            ("\(String(repeating: "a", count: 65))@mail.example", .localPart),
            ("anna@\(String(repeating: "abc.", count: 70))example", .tooLong),
        ])
    func none(text: String, fault: MailAddress.Fault) {
        #expect(throws: fault) { try MailAddress.written(Array(text.utf8)) }
    }
}
