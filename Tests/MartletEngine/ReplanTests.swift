import MartletModel
import SMSText
import Testing

@testable import MartletEngine

/// A text that was planned by the rules of one day and is handed over under those of another.
@Suite("Rules for texts in the engine")
struct ReplanTests {
    private static let wide = TextRules(options: TextOptions(concatenation: .udh16))
    private static let payload = TextRules(options: TextOptions(concatenation: .payload))
    private static let narrow = TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.typographic, .baseLetters, .russian])
    private static let strict = TextRules(options: TextOptions(alphabets: [.gsm7]))

    private func rig(_ rules: TextRules = .standard) -> Rig { Rig { $0.texts = Texts([1: rules]) } }

    private func submission(_ text: String, _ rig: Rig, wishes: MessageWishes = []) -> Submission {
        Submission(
            source: 1, messageClass: .transactional, to: Rig.number, from: "Bank", text: text, wishes: wishes,
            tells: [.delivered, .failed],
            receivedAt: rig.now)
    }

    private func accept(_ text: String, _ rig: Rig, wishes: MessageWishes = [], random: UInt64 = 1) -> (id: MessageID, parts: UInt8)? {
        var verdict = Engine.Verdict.refused(.stopping)
        rig.step { verdict = $0.engine.accept(submission(text, rig, wishes: wishes), random: random, &$0.turn) }
        rig.commit()
        if case .accepted(let id, let parts) = verdict { return (id, parts) }
        return nil
    }

    /// What the node does when a hand-over stops at a misfit.
    private func replan(_ rig: Rig) -> [Record] { rig.step { $0.engine.replan(&$0.turn) } }

    @Test("Parts are counted as the group's operator will have them; what it cuts itself is one submit")
    func counted() throws {
        let text = String(repeating: "x", count: 153 * 3)
        #expect(accept(text, rig())?.parts == 3)
        let wide = rig(Self.wide)
        let four = try #require(accept(text, wide))
        #expect(four.parts == 4 && wide.slot(four.id)?.parts == 4)
        let whole = rig(Self.payload)
        let one = try #require(accept(text, whole))
        #expect(one.parts == 3 && whole.slot(one.id)?.parts == 1)
        let handover = try #require(whole.hand())
        #expect(handover.parts == 1 && handover.partMask == 1 && handover.text == text)
        #expect(TextShape(code: handover.textShape)?.parts == 3)
        // The source hears of parts, not of submits.
        whole.answer(handover, .accepted(providerID: "7"))
        whole.hear("7", .delivered)
        whole.commit()
        let owed = whole.engine.owed(1, room: 1)
        #expect(owed.first.flatMap { item in item.payload.map { item.notice($0).parts } } == 3)
    }

    @Test("More parts than the setting, or than masks have bits for, are refused; with one submit only the setting counts")
    func limits() {
        let text = String(repeating: "x", count: 153 * 20)
        func verdict(_ rules: TextRules, _ maximum: Int) -> String {
            let rig = Rig {
                $0.texts = Texts([1: rules])
                $0.partsMaximum = maximum
            }
            var verdict = Engine.Verdict.refused(.stopping)
            rig.step { verdict = $0.engine.accept(submission(text, rig), random: 1, &$0.turn) }
            return "\(verdict)"
        }
        #expect(verdict(.standard, 30).contains("tooManyParts(parts: 20, limit: 16)"))
        #expect(verdict(Self.payload, 10).contains("tooManyParts(parts: 20, limit: 10)"))
        #expect(verdict(Self.payload, 30).contains("parts: 20") && !verdict(Self.payload, 30).contains("refused"))
    }

    @Test("A text that the operator has no alphabet for is refused and leaves nothing behind; the same text is taken elsewhere")
    func noAlphabet() {
        let rig = rig(Self.strict)
        var verdict = Engine.Verdict.refused(.stopping)
        rig.step { verdict = $0.engine.accept(submission("Привіт", rig), random: 1, &$0.turn) }
        guard case .refused(.noAlphabet) = verdict else { return #expect(Bool(false)) }
        #expect(rig.open.isEmpty && rig.engine.openCount == 0)
        #expect(accept("Hello", rig) != nil)
    }

    @Test("The text that is kept is the one that was given; how it is spelled goes with it")
    func spelled() throws {
        let rig = rig(Self.narrow)
        let text = "Привет, “Анна”"
        #expect(accept(text, rig)?.parts == 1)
        let handover = try #require(rig.hand())
        #expect(handover.text == text)
        #expect(TextShape(code: handover.textShape)?.spelled(text) == "Privet, \"Anna\"")
    }

    @Test("Wishes and a part's own octets go with the hand-over")
    func carriedAlong() throws {
        let rig = rig()
        #expect(accept("Now", rig, wishes: [.flash, .replacesPending]) != nil)
        #expect(try #require(rig.hand()).wishes == [.flash, .replacesPending])
        var part = submission("part", rig)
        (part.userDataHeader, part.partOctets, part.partAlphabet) = ([5, 0, 3, 1, 2, 1], [1, 2], 8)
        rig.step { _ = $0.engine.accept(part, random: 9, &$0.turn) }
        rig.commit()
        rig.engine.set(texts: Texts([1: Self.strict]))
        let handover = try #require(rig.hand())
        #expect(handover.partOctets == [1, 2] && handover.partAlphabet == 8 && handover.textShape == 0)
    }

    @Test("Rules that still take what was planned change nothing")
    func stillFits() throws {
        let rig = rig()
        #expect(accept("Привіт", rig) != nil && accept("Hello", rig, random: 2) != nil)
        rig.engine.set(texts: Texts([1: Self.wide]))
        #expect(try #require(rig.hand()).textShape == 0)
        #expect(try #require(rig.hand()).textShape == 0)
        #expect(!rig.engine.hasMisfits && rig.engine.counts.replanned == 0)
    }

    @Test("A whole unsent message is planned anew when its operator's rules no longer take it: a record first, then the hand-over")
    func replanned() throws {
        let rig = rig()
        let text = String(repeating: "д", count: 100)
        let (id, parts) = try #require(accept(text, rig))
        let second = try #require(accept("Hello", rig, random: 2))
        #expect(parts == 2)
        let reference = rig.slot(id)?.partsReference
        rig.engine.set(texts: Texts([1: Self.narrow]))
        #expect(rig.hand() == nil && rig.engine.hasMisfits)
        let records = replan(rig)
        #expect(records.map(\.header.kind) == [.resumed] && !rig.engine.hasMisfits)
        // Not durable: neither it nor what stands behind it goes.
        #expect(rig.hand() == nil && rig.hand() == nil)
        rig.commit()
        let handover = try #require(rig.hand())
        #expect(handover.id == id && handover.parts == 1 && handover.partMask == 1 && handover.partsReference != reference)
        #expect(TextShape(code: handover.textShape)?.spelled(text) == String(repeating: "d", count: 100))
        #expect(try #require(rig.hand()).id == second.id)
        #expect(rig.engine.counts.replanned == 1 && rig.slot(id)?.flags.contains(.possibleDuplicate) == false)
        rig.answer(handover, .accepted(providerID: "7"))
        rig.hear("7", .delivered)
        #expect(rig.fate(id) == "delivered")
    }

    @Test("What was planned anew outlives restarts and trims, and is planned once more when the rules change again")
    func restart() throws {
        let rig = rig()
        let text = String(repeating: "д", count: 100)
        let (id, _) = try #require(accept(text, rig))
        rig.engine.set(texts: Texts([1: Self.narrow]))
        _ = rig.hand()
        _ = replan(rig)
        rig.commit()
        let planned = rig.slot(id)
        #expect(planned?.textShape != 0)
        rig.configuration.texts = Texts([1: Self.narrow])
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(clean: true, before: 2)
        rig.commit()
        #expect(
            rig.slot(id)?.textShape == planned?.textShape && rig.slot(id)?.parts == 1
                && rig.slot(id)?.partsReference == planned?.partsReference)
        let before = try #require(rig.next())
        #expect(before.parts == 1)
        rig.answer(before, .throttled(status: 0x58))
        rig.commit()
        let ucs2 = TextRules(options: TextOptions(alphabets: [.ucs2]))
        rig.engine.set(texts: Texts([1: ucs2]))
        #expect(rig.hand() == nil)
        #expect(replan(rig).count == 1)
        rig.commit()
        let after = try #require(rig.hand())
        let standard = try ucs2.plan(text).shape
        #expect(after.parts == 2 && TextShape(code: after.textShape) == standard)
    }

    @Test("A message of which a part is out goes on as it began, whatever the rules say")
    func partlyOut() throws {
        let rig = rig()
        let (id, _) = try #require(accept(String(repeating: "д", count: 100), rig))
        let first = try #require(rig.hand())
        rig.answer(first, .accepted(providerID: "1"))
        rig.answer(first, part: 1, .throttled(status: 0x58))
        rig.commit()
        rig.engine.set(texts: Texts([1: Self.narrow]))
        let second = try #require(rig.hand())
        #expect(second.id == id && second.partMask == 0b10 && second.parts == 2 && second.textShape == 0)
        #expect(second.partsReference == first.partsReference && !rig.engine.hasMisfits)
    }

    @Test("It ends as one that cannot be encoded only when no alphabet of the operator has its text")
    func mustFail() throws {
        let rig = rig()
        let (id, _) = try #require(accept("Привіт", rig))
        let other = try #require(accept("Hello", rig, random: 2))
        rig.engine.set(texts: Texts([1: Self.strict]))
        #expect(rig.hand() == nil)
        _ = replan(rig)
        #expect(rig.fate(id) == "failed cannot_be_encoded")
        rig.commit()
        #expect(try #require(rig.hand()).id == other.id)
    }

    @Test("More parts than the setting allows are sent of what was taken; only what cannot be counted is given up")
    func obligation() throws {
        let rig = Rig {
            $0.partsMaximum = 3
            $0.texts = Texts([1: Self.narrow])
        }
        let (id, parts) = try #require(accept(String(repeating: "ж", count: 200), rig))
        #expect(parts == 3)
        rig.engine.set(texts: Texts([1: TextRules(options: TextOptions(alphabets: [.ucs2]))]))
        #expect(rig.hand() == nil)
        _ = replan(rig)
        rig.commit()
        #expect(try #require(rig.hand()).parts == 3 && rig.slot(id) != nil)
        let long = Rig {
            $0.partsMaximum = 100
            $0.texts = Texts([1: Self.payload])
        }
        let (huge, many) = try #require(accept(String(repeating: "x", count: 153 * 20), long))
        #expect(many == 20)
        long.engine.set(texts: Texts())
        #expect(long.hand() == nil)
        _ = replan(long)
        #expect(long.fate(huge) == "failed cannot_be_encoded")
    }

    @Test("Many that no longer fit are planned anew together and leave in their order, those of every source and lane")
    func many() throws {
        let rig = rig()
        var wanted: [MessageID] = []
        for n in 0..<40 { wanted.append(try #require(accept("Привет \(n)", rig, random: UInt64(n))).id) }
        rig.engine.set(texts: Texts([1: Self.narrow]))
        #expect(rig.hand() == nil)
        #expect(replan(rig).count == 40)
        #expect(rig.hand() == nil)
        rig.commit()
        var seen: [MessageID] = []
        while let handover = rig.hand() { seen.append(handover.id) }
        #expect(seen == wanted)
        // Asked again with nothing to do.
        #expect(replan(rig).isEmpty)
    }

    @Test("One turn looks at so many in all groups, classes and sources: codes first, the rest in the turns that follow; none is forgotten")
    func budget() throws {
        let rig = Rig { $0.routes = Routes([.init(prefix: "44", group: 1), .init(prefix: "33", group: 2), .init(prefix: "49", group: 3)]) }
        var random: UInt64 = 0
        func fill(_ count: Int, _ messageClass: MessageClass, _ digits: UInt64, _ source: SourceNumber) {
            for _ in 0..<count {
                random += 1
                let submission = Submission(
                    source: source, messageClass: messageClass, to: PhoneNumber(digits: digits), from: "Bank", text: "Привет \(random)",
                    receivedAt: rig.now)
                rig.step { _ = $0.engine.accept(submission, random: random, &$0.turn) }
            }
            rig.commit()
        }
        fill(100, .marketing, 447_700_900_001, 1)
        fill(300, .service, 447_700_900_001, 1)
        fill(300, .service, 447_700_900_001, 2)
        fill(20, .otp, 33_612_345_678, 1)
        fill(50, .marketing, 493_012_345_678, 1)
        rig.engine.set(texts: Texts([1: Self.narrow, 2: Self.narrow, 3: Self.narrow]))
        #expect((1...3).allSatisfy { rig.hand($0) == nil })
        var turns: [Int] = []
        var left: [MessageClass: Int] = [:]
        for _ in 0..<20 {
            let records = replan(rig)
            turns.append(records.count)
            if turns.count == 1 {
                #expect(records.prefix(20).allSatisfy { $0.header.messageClass == MessageClass.otp.rawValue })
                #expect(Set(records.map(\.header.source)) == [1, 2] && rig.engine.hasMisfits)
            }
            #expect(records.count <= Engine.replanMaximum)
            rig.commit()
            for group in GroupNumber(1)...3 {
                while let handover = rig.hand(group) { left[handover.messageClass, default: 0] += 1 }
            }
            if !rig.engine.hasMisfits { break }
        }
        #expect(left == [.marketing: 150, .service: 600, .otp: 20] && turns.reduce(0, +) == 770)
    }

    @Test("What operators bill is what a quota counts, where one submit carries several parts; over restarts and trims")
    func onAir() throws {
        let rig = rig(Self.payload)
        rig.engine.set(limits: [1: SourceLimits(dailyQuota: 7)], rig.now)
        let text = String(repeating: "x", count: 153 * 3)
        let (id, parts) = try #require(accept(text, rig))
        #expect(parts == 3 && rig.slot(id)?.parts == 1 && rig.engine.today(1, rig.now).parts == 3)
        #expect(accept(text, rig, random: 2)?.parts == 3 && accept(text, rig, random: 3) == nil, "six of seven are used")
        rig.restart(clean: true)
        rig.engine.set(limits: [1: SourceLimits(dailyQuota: 7)], rig.now)
        #expect(rig.engine.today(1, rig.now).parts == 6 && accept(text, rig, random: 4) == nil)
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(clean: true, before: 2)
        rig.engine.set(limits: [1: SourceLimits(dailyQuota: 7)], rig.now)
        #expect(rig.engine.today(1, rig.now).parts == 6 && accept(text, rig, random: 5) == nil)
        #expect(accept("short", rig, random: 6)?.parts == 1 && accept("short", rig, random: 7) == nil)
    }

    @Test("A message counted by another version of this program is planned anew before it leaves")
    func otherVersion() throws {
        let rig = rig(Self.wide)
        let (id, _) = try #require(accept("Hello", rig))
        // As an older program might have counted it.
        for index in rig.log.indices where rig.log[index].bytes[0] == RecordKind.accepted.rawValue { rig.log[index].bytes[7] = 2 }
        rig.restart(clean: true)
        rig.commit()
        #expect(rig.slot(id)?.parts == 2)
        #expect(rig.next() == nil && rig.engine.hasMisfits)
        _ = replan(rig)
        rig.commit()
        #expect(try #require(rig.hand()).parts == 1)
    }

    @Test("Standard rules are kept as none, others by their group")
    func texts() {
        let texts = Texts([1: .standard, 2: Self.wide])
        #expect(texts[1] == nil && texts[2] == Self.wide && texts[255] == nil && Texts()[0] == nil)
    }
}
