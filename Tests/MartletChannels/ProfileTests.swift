import MartletModel
import SMPP
import SMSText
import Testing

@testable import MartletChannels

@Suite struct OperatorProfileTests {
    private func read(_ change: (inout OperatorProfileWords) -> Void = { _ in }) -> OperatorProfile {
        var words = OperatorProfileWords()
        change(&words)
        let (profile, faults) = words.read()
        #expect(faults.isEmpty, "\(faults)")
        return profile
    }

    private func faults(_ change: (inout OperatorProfileWords) -> Void) -> [String] {
        var words = OperatorProfileWords()
        change(&words)
        return words.read().faults.map(\.setting)
    }

    @Test("A preset is a whole profile; every one of them is without fault, and single words go over it")
    func presets() {
        #expect(read() == .standard)
        for preset in OperatorProfile.Preset.allCases {
            let profile = read { $0.preset = preset.rawValue }
            #expect(profile.rules.options.alphabets == preset.alphabets && !preset.doc.isEmpty)
        }
        #expect(read { $0.preset = "latin1" }.numbers.zero == .latin1)
        #expect(read { $0.preset = "ascii" }.numbers.zero == .ascii)
        #expect(read { $0.preset = "gsm7" }.rules.spellings == [.typographic, .lookAlikes, .baseLetters, .russian])
        let own = read {
            $0.preset = "turkish"
            $0.alphabets = ["gsm7", "portuguese", "ucs2"]
            $0.dataCodings = "gsm7=0x11, ucs2=24 latin1=none"
            $0.flash = "destinationSubunit"
            $0.concatenation = "sar"
            $0.transliteration = ["typographic", "ukrainian"]
            $0.intermediateReceipts = true
            $0.replaceIfPresent = false
            $0.receiptID = "decimalToHex"
        }
        #expect(own.rules.options == TextOptions(alphabets: [.gsm7, .portugueseLocking, .portugueseShift, .ucs2], concatenation: .sar))
        #expect(own.numbers.gsm7 == 0x11 && own.numbers.ucs2 == 24 && own.numbers.latin1 == nil && own.numbers.flashWantsSubunit)
        #expect(own.rules.spellings == [.typographic, .ukrainian] && own.registeredDelivery.rawValue == 0x11 && !own.replacesPending)
        #expect(own.receiptID.conversion == .decimalToHex && OperatorProfile.ReceiptID.learn.conversion == nil)
        #expect(!read { $0.flash = "off" }.hasFlash)
        #expect(read { $0.dataCodings = "cyrillic=7 ascii=2 latin1=1" }.numbers.cyrillic == 7)
    }

    @Test("Every mistake in the words is told with its setting")
    func mistakes() {
        let all = faults {
            $0.preset = "nordic"
            $0.dataCodingZero = "utf8"
            $0.alphabets = ["gsm7", "morse", "ucs2", "ucs2"]
            $0.dataCodings = "gsm7"
            $0.flash = "red"
            $0.concatenation = "glue"
            $0.transliteration = ["ukrainian", "russian", "elvish"]
            $0.receiptID = "guess"
        }
        #expect(
            Set(all) == [
                "profile", "dataCodingZero", "alphabets", "dataCodings", "flash", "concatenation", "transliteration", "receiptId",
            ])
        #expect(all.filter { $0 == "alphabets" }.count == 2 && all.filter { $0 == "transliteration" }.count == 2)
        #expect(faults { $0.alphabets = [] } == ["alphabets"])
        // Without a number for GSM 7-bit it cannot be used.
        #expect(faults { ($0.dataCodingZero, $0.alphabets) = ("latin1", ["gsm7", "ucs2"]) } == ["alphabets"])
        #expect(faults { $0.dataCodings = "ucs2=none" } == ["alphabets"])
        #expect(faults { ($0.alphabets, $0.dataCodings) = (["gsm7", "latin1"], "latin1=0") } == ["dataCodings"])
        #expect(faults { ($0.alphabets, $0.dataCodings) = (["gsm7", "turkish", "ucs2"], "gsm7=8") } == ["dataCodings"])
        for wrong in ["gsm8=1", "gsm7=256", "gsm7=0x1FF", "gsm7=", "=1", "gsm7=1=2"] {
            #expect(faults { $0.dataCodings = wrong }.contains("dataCodings"), "\(wrong)")
        }
    }

    @Test("Where two connections of a group differ is named by its setting")
    func difference() {
        let changes: [(String, (inout OperatorProfileWords) -> Void)] = [
            ("alphabets", { $0.alphabets = ["gsm7"] }),
            ("dataCodingZero", { ($0.dataCodingZero, $0.dataCodings) = ("ascii", "gsm7=2 ascii=none") }),
            ("flash", { $0.flash = "off" }), ("flash", { $0.flash = "messageClass" }), ("dataCodings", { $0.dataCodings = "gsm7=0xF1" }),
            ("concatenation", { $0.concatenation = "udh16" }), ("transliteration", { $0.transliteration = ["typographic"] }),
            ("intermediateReceipts", { $0.intermediateReceipts = true }), ("replaceIfPresent", { $0.replaceIfPresent = false }),
            ("receiptId", { $0.receiptID = "asIs" }), ("query", { $0.query = false }), ("cancel", { $0.cancel = false }),
        ]
        for (setting, change) in changes { #expect(read(change).difference(from: .standard) == setting) }
        #expect(OperatorProfile.standard.difference(from: read()) == nil)
    }

    // MARK: On the wire

    private func world(_ change: (inout OperatorProfileWords) -> Void) throws -> (World, SMPPConnection) {
        let world = World()
        var settings = World.settings()
        settings.profile = read(change)
        return (world, try world.bound(settings))
    }

    private func planned(_ text: String, _ connection: SMPPConnection, _ world: World, wishes: MessageWishes = []) throws -> Handover {
        let (plan, shape) = try connection.settings.profile.rules.plan(text, flash: wishes.contains(.flash))
        var handover = world.handover(1, text: text, parts: UInt8(plan.submits))
        handover.textShape = shape.code
        handover.wishes = wishes
        return handover
    }

    private func sent(_ text: String, wishes: MessageWishes = [], _ change: (inout OperatorProfileWords) -> Void) throws -> [Message] {
        let (world, connection) = try world(change)
        connection.hand([try planned(text, connection, world, wishes: wishes)])
        world.turn()
        #expect(world.settled.isEmpty)
        return world.smsc.submits.map(\.message)
    }

    @Test("A national table goes with its header and the number of GSM 7-bit")
    func national() throws {
        let messages = try sent("aşk") {
            $0.preset = "turkish"
            $0.dataCodings = "gsm7=0x11"
        }
        #expect(messages.map(\.fields.dataCoding) == [0x11] && messages[0].fields.esmClass == .userDataHeader)
        #expect(messages[0].shortMessage == [3, 0x25, 1, 1, 0x61, 0x1D, 0x6B])
    }

    @Test("ISO 8859-1 as 0, and its @ is not that of GSM 7-bit")
    func latin() throws {
        let messages = try sent("a@é€".replacing("€", with: "")) { $0.preset = "latin1" }
        #expect(messages.map(\.fields.dataCoding) == [0] && messages[0].shortMessage == [0x61, 0x40, 0xE9])
        #expect(try sent("a€") { $0.preset = "latin1" }.map(\.fields.dataCoding) == [8])
    }

    @Test("With sar the parts carry parameters and no header; with payload all is one submit; with udh16 the reference has two octets")
    func concatenations() throws {
        let text = String(repeating: "0123456789", count: 40)
        let sar = try sent(text) { $0.concatenation = "sar" }
        #expect(sar.count == 3 && sar.allSatisfy { $0.fields.esmClass == EsmClass() })
        for (index, message) in sar.enumerated() {
            #expect(
                message.parameters == [
                    Parameter(.sarReference, .integer(0x1234)), Parameter(.sarTotal, .integer(3)),
                    Parameter(.sarNumber, .integer(UInt32(index + 1))),
                ])
        }
        #expect(sar.flatMap(\.shortMessage) == Array(text.utf8))
        let payload = try sent(text, wishes: [.replacesPending]) { $0.concatenation = "payload" }
        #expect(payload.count == 1 && payload[0].shortMessage.isEmpty && payload[0].fields.replaceIfPresent == 1)
        #expect(payload[0].parameters == [Parameter(.messagePayload, .octets(Array(text.utf8)))])
        let wide = try sent(text) { $0.concatenation = "udh16" }
        #expect(wide.map { Array($0.shortMessage.prefix(7)) } == (1...3).map { [6, 8, 4, 0x12, 0x34, 3, UInt8($0)] })
        #expect(try sent("short") { $0.concatenation = "payload" }[0].shortMessage == Array("short".utf8))
    }

    @Test("A flash message is asked for as the operator wants it, alone or beside other parameters, or goes like any other")
    func flash() throws {
        #expect(try sent("x", wishes: .flash) { _ in }.map(\.fields.dataCoding) == [0x10])
        #expect(try sent("ж", wishes: .flash) { _ in }.map(\.fields.dataCoding) == [0x18])
        #expect(try sent("x", wishes: .flash) { $0.flash = "messageClass" }.map(\.fields.dataCoding) == [0xF0])
        #expect(try sent("x", wishes: .flash) { $0.flash = "off" }.map(\.fields.dataCoding) == [0])
        let subunit = Parameter(.destinationSubunit, .integer(1))
        let one = try sent("x", wishes: .flash) { $0.flash = "destinationSubunit" }
        #expect(one[0].fields.dataCoding == 0 && one[0].parameters == [subunit] && one[0].shortMessage == [0x78])
        let text = String(repeating: "x", count: 200)
        let sar = try sent(text, wishes: .flash) { ($0.flash, $0.concatenation) = ("destinationSubunit", "sar") }
        #expect(sar.count == 2 && sar.allSatisfy { $0.parameters.count == 4 && $0.parameters.last == subunit })
        let payload = try sent(text, wishes: .flash) { ($0.flash, $0.concatenation) = ("destinationSubunit", "payload") }
        #expect(payload[0].parameters.last == subunit && payload[0].parameters.count == 2)
        // The only alphabet that has the text cannot be shown at once.
        #expect(try sent("Код", wishes: .flash) { $0.alphabets = ["gsm7", "cyrillic"] }.map(\.fields.dataCoding) == [6])
    }

    @Test("A message of one submit asks to take the place of another where the operator knows that; one of several never does")
    func replaces() throws {
        #expect(try sent("x", wishes: .replacesPending) { _ in }.map(\.fields.replaceIfPresent) == [1])
        #expect(try sent("x") { _ in }.map(\.fields.replaceIfPresent) == [0])
        #expect(try sent("x", wishes: .replacesPending) { $0.replaceIfPresent = false }.map(\.fields.replaceIfPresent) == [0])
        #expect(try sent(String(repeating: "x", count: 200), wishes: .replacesPending) { _ in }.map(\.fields.replaceIfPresent) == [0, 0])
    }

    @Test("A text is spelled as it was planned, and intermediate notifications are asked for where they are wanted")
    func spelled() throws {
        let messages = try sent("Привет, “Анна”") {
            $0.preset = "gsm7"
            $0.intermediateReceipts = true
        }
        #expect(messages[0].shortMessage == Array("Privet, \"Anna\"".utf8) && messages[0].fields.registeredDelivery.rawValue == 0x11)
    }

    @Test("A part that its sender cut goes out octet by octet where its alphabet is taken, else it is written anew or refused")
    func ownParts() throws {
        // Half a letter, and a table that nobody here knows: what cannot be read is still sent as it came.
        let header: [UInt8] = [8, 0, 3, 9, 2, 1, 0x24, 1, 9]
        func part(_ octets: [UInt8], _ alphabet: Alphabet, _ text: String) -> (inout Handover) -> Void {
            { handover in
                (handover.userDataHeader, handover.partOctets, handover.partAlphabet, handover.text) = (
                    header, octets, alphabet.rawValue, text
                )
            }
        }
        func sent(
            _ change: (inout Handover) -> Void, _ words: (inout OperatorProfileWords) -> Void = { _ in }
        ) throws -> (Message?, [Outcome]) {
            let (world, connection) = try world(words)
            var handover = world.handover(1)
            change(&handover)
            connection.hand([handover])
            world.turn()
            return (world.smsc.submits.first?.message, world.outcomes(1))
        }
        let septets = try sent(part([0x61, 0x1B, 0x53], .gsm7, "aS"))
        #expect(septets.0?.shortMessage == header + [0x61, 0x1B, 0x53] && septets.0?.fields.dataCoding == 0)
        let wide = try sent(part([0xD8, 0x3D], .ucs2, "\u{FFFD}"))
        #expect(wide.0?.shortMessage == header + [0xD8, 0x3D] && wide.0?.fields.dataCoding == 8)
        #expect(wide.0?.fields.esmClass == .userDataHeader)
        // Latin-1 is not among the alphabets: written anew.
        let latin = try sent(part([0xE9], .latin1, "é"))
        #expect(latin.0?.shortMessage == header + [0x05] && latin.0?.fields.dataCoding == 0)
        #expect(try sent(part([0xE9], .latin1, "é")) { $0.alphabets = ["latin1", "ucs2"] }.0?.shortMessage == header + [0xE9])
        #expect(
            try sent(part([0xD8, 0x3D], .ucs2, "ж")) {
                $0.alphabets = ["gsm7"]; $0.dataCodings = "ucs2=none"
            }.1 == [.unencodable])
        #expect(try sent(part([], .gsm7, String(repeating: "x", count: 160))).1 == [.unencodable])
        #expect(try sent(part([UInt8](repeating: 0x61, count: 250), .gsm7, "x")).1 == [.unencodable])
    }

    @Test("What does not come out as it was planned is refused, not sent as something else")
    func misfits() throws {
        let (world, connection) = try world { _ in }
        var wrong = try planned("x", connection, world)
        wrong.textShape = 0x0100_0004
        var other = world.handover(2, text: "ж")
        other.textShape = TextShape(SMSText.plan("x")).code
        var more = world.handover(3, text: "x", parts: 2)
        more.textShape = TextShape(SMSText.plan("x")).code
        var none = world.handover(4, text: "Код")
        none.textShape = TextShape(try SMSText.plan("Код", options: TextOptions(alphabets: [.cyrillic]))).code
        connection.hand([wrong, other, more, none])
        world.turn()
        for index: UInt32 in 1...3 { #expect(world.outcomes(index) == [.unencodable]) }
        // ISO 8859-5 has its number, though these rules would not choose it: it was planned so, and a part may be out.
        #expect(world.smsc.submits.map(\.message.fields.dataCoding) == [6])
    }

    @Test("Parts that wait for room are given back when the profile changes, so that the core looks at them again")
    func reload() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 1))
        connection.hand([world.handover(1, text: String(repeating: "x", count: 200), parts: 2), world.handover(2)])
        world.turn()
        #expect(world.smsc.submits.count == 1)
        var settings = World.settings(window: 1)
        settings.profile = read { $0.concatenation = "udh16" }
        try connection.reconfigure(settings)
        world.turn()
        #expect(world.outcomes(1, part: 1) == [.notWritten] && world.outcomes(2) == [.notWritten] && world.smscs.count == 1)
    }
}
