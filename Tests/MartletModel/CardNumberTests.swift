import MartletModel
import Testing

/// Card numbers in texts: the schemes' public test numbers, and what looks like one and is none.
@Suite struct CardNumberTests {
    /// Number of a scheme's test card, and what is left of it.
    static let cards: [(String, String)] = [
        ("4111111111111111", "411111******1111"), ("4012888888881881", "401288******1881"), ("4222222222222", "422222***2222"),
        ("4000056655665556", "400005******5556"), ("4917610000000000003", "491761*********0003"),
        ("5555555555554444", "555555******4444"), ("5105105105105100", "510510******5100"), ("2223003122003222", "222300******3222"),
        ("378282246310005", "378282*****0005"), ("371449635398431", "371449*****8431"), ("30569309025904", "305693****5904"),
        ("38520000023237", "385200****3237"), ("36227206271667", "362272****1667"), ("6011111111111117", "601111******1117"),
        ("6011000990139424", "601100******9424"), ("3530111333300000", "353011******0000"), ("3566002020360505", "356600******0505"),
        ("6200000000000005", "620000******0005"), ("6205500000000000004", "620550*********0004"), ("6759649826438453", "675964******8453"),
        ("2200000000000004", "220000******0004"),
    ]

    private func mask(_ text: String) -> String {
        switch CardNumbers.examine(text, .mask) {
        case .clean: text
        case .masked(let masked): masked
        case .refused: "refused"
        }
    }

    @Test("A scheme's test number keeps its first six and last four digits", arguments: cards)
    func schemes(_ number: String, _ masked: String) {
        #expect(mask(number) == masked)
        #expect(mask("Card \(number), thank you") == "Card \(masked), thank you")
        #expect(mask("PAN\(number)x") == "PAN\(masked)x")
        #expect(CardNumbers.examine("Card \(number).", .refuse) == .refused)
        #expect(CardNumbers.examine("Card \(number).", .off) == .clean)
        // One digit away from it is no card number.
        let digits = Array(number.utf8)
        let wrong = String(decoding: digits.dropLast() + [(digits[digits.count - 1] - 47) % 10 + 48], as: UTF8.self)
        #expect(CardNumbers.examine(wrong, .refuse) == .clean)
    }

    @Test(
        "Spaces, dashes, dots and digits of other scripts do not hide it",
        arguments: [
            ("4111 1111 1111 1111", "4111 11** **** 1111"), ("4111-1111-1111-1111", "4111-11**-****-1111"),
            ("4111.1111.1111.1111", "4111.11**.****.1111"), ("4111 - 1111 - 1111 - 1111", "4111 - 11** - **** - 1111"),
            ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4 1 1 1 1 1 * * * * * * 1 1 1 1"),
            ("4111\u{A0}1111\u{202F}1111\u{2011}1111", "4111\u{A0}11**\u{202F}****\u{2011}1111"),
            ("4111\u{200B}1111\u{00AD}1111\u{FEFF}1111", "4111\u{200B}11**\u{00AD}****\u{FEFF}1111"),
            ("4111\u{2013}1111\u{2212}1111\u{3000}1111", "4111\u{2013}11**\u{2212}****\u{3000}1111"),
            ("４１１１１１１１１１１１１１１１", "４１１１１１******１１１１"), ("٤١١١١١١١١١١١١١١١", "٤١١١١١******١١١١"),
            ("۴۱۱۱ ۱۱۱۱ ۱۱۱۱ ۱۱۱۱", "۴۱۱۱ ۱۱** **** ۱۱۱۱"), ("४१११११११११११११११", "४१११११******११११"),
            ("4１1١111111111111", "4１1١11******1111"), ("3782 822463 10005", "3782 82**** *0005"),
        ])
    func written(_ text: String, _ masked: String) {
        #expect(mask(text) == masked)
        #expect(mask("Оплата \(text) прошла") == "Оплата \(masked) прошла")
        #expect(CardNumbers.examine(text, .refuse) == .refused)
    }

    @Test("What stands around a number is left as it is, and several are all found")
    func around() {
        #expect(mask("4111111111111111 03/27 123") == "411111******1111 03/27 123")
        #expect(mask("10 4111 1111 1111 1111 27") == "10 4111 11** **** 1111 27")
        #expect(mask("4111111111111111 5555555555554444") == "411111******1111 555555******4444")
        #expect(mask("a 4111111111111111\nb 378282246310005") == "a 411111******1111\nb 378282*****0005")
        #expect(mask("+44 7700 900123 4111111111111111") == "+44 7700 900123 411111******1111")
        #expect(mask("4111111111111111.50") == "411111******1111.50")
        #expect(mask("رقم4111111111111111中") == "رقم411111******1111中")
        #expect(mask("🙂4111 1111 1111 1111🙂") == "🙂4111 11** **** 1111🙂")
        #expect(mask("4111－1111－1111－1111…") == "4111－11**－****－1111…")
        #expect(mask("’4111111111111111’ and 40817810000000012345") == "’411111******1111’ and 40817810000000012345")
        #expect(mask("☎️ 4111111111111111 👍") == "☎️ 411111******1111 👍")
    }

    @Test(
        "A number of more digits than a card's, or whose groups do not end there, is none",
        arguments: [
            "41111111111111111111", "14111111111111111", "94111111111111111", "4111111,111111111", "4111 1111 1111",
            "4111    1111    1111    1111", "4111/1111/1111/1111", "0000000000000000", "1111111111111117", "9999999999999995",
            "7111111111111112",
        ])
    func others(_ text: String) { #expect(CardNumbers.examine(text, .refuse) == .clean) }

    @Test(
        "Account numbers with right check digits, telephones and amounts stay whole, though their digits pass for a card's",
        arguments: [
            // IBANs in whose digits the scheme and Luhn are right by chance.
            "DE89 3704 0044 0532 0130 00", "GB29 NWBK 6016 1331 9268 19", "FR14 2004 1010 0505 0001 3M02 606", "DE89370400440532013000",
            // Thirteen to fifteen digits after a plus sign that begin with 4 or 3 and pass Luhn.
            "+4222222222222", "call +378282246310005 now", "+3056 930902 5904", "＋4222222222222",
            "Balance 12 345 678.90 EUR on 22.11.2026 18:04", "4 111 111.11 and 5 555 555.55", "Ref 2026112218040042",
            "447700900123 447700900124",
        ])
    func innocent(_ text: String) { #expect(mask(text) == text) }

    @Test("An account number's own check digits spare it, a wrong one's do not, and no one else's are looked at")
    func accounts() {
        // Sixteen digits that are a card's by all signs, in every account number that they could be.
        let spared = (2...98).filter { check in
            let digits = check < 10 ? "0\(check)" : "\(check)"
            let text = "XX\(digits) 4111 1111 1111 1111"
            return mask(text) == text
        }
        #expect(spared.count == 1, "one pair of check digits in 97 is right")
        #expect(mask("xx\(spared.first ?? 0) 4111 1111 1111 1111").contains("**"))
    }

    @Test("Every way to write a number in groups, and every text around it, gives the same digits back")
    func seeded() {
        var state: UInt64 = 20_261_123
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let separators = ["", "", " ", "-", "\u{A0}", " - ", "\u{2009}"]
        for round in 0..<3000 {
            let (number, masked) = Self.cards[next(Self.cards.count)]
            var text = ""
            var wanted = ""
            for (digit, shown) in zip(number, masked) {
                let separator = text.isEmpty ? "" : separators[next(separators.count)]
                text += separator + String(digit)
                wanted += separator + String(shown)
            }
            let before = ["", "Paid by ", "карта ", "x", "12, "][next(5)]
            let after = ["", ".", " ok", ", 7", "\n5"][next(5)]
            #expect(mask(before + text + after) == before + wanted + after, "round \(round)")
        }
    }

    @Test("A long text of nothing but digits and separators is looked through in bounded work")
    func long() {
        let digits = String(repeating: "4 ", count: 8000)
        #expect(CardNumbers.examine(digits, .mask) == .clean || mask(digits).count == digits.count)
        #expect(mask(String(repeating: "1", count: 16_000)) == String(repeating: "1", count: 16_000))
    }
}
