import SMSText
import Testing

@Suite("Reassembly of inbound parts")
struct AssemblerTests {
    private func part(
        _ number: UInt8, of total: UInt8, reference: UInt16 = 7, kind: Concatenation = .udh8, _ text: String, dataCoding: UInt8 = 0
    ) throws -> InboundPart {
        let place = try #require(UserDataHeader.Concatenated(kind: kind, reference: reference, total: total, number: number))
        return InboundPart(place: place, dataCoding: dataCoding, octets: Array(text.utf8))
    }

    private func complete(_ news: PartAssembler.News) -> AssembledMessage? {
        if case .complete(let message) = news { message } else { nil }
    }

    @Test("Parts in any order become the text, told complete with the last one")
    func anyOrder() throws {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2]] as [[UInt8]] {
            var assembler = PartAssembler()
            let texts: [UInt8: String] = [1: "one ", 2: "two ", 3: "three"]
            for (step, number) in order.enumerated() {
                let outcome = assembler.add(try part(number, of: 3, texts[number] ?? ""), from: "1", to: "2", at: .seconds(step))
                #expect(outcome.givenUp.isEmpty)
                if step < 2 {
                    #expect(outcome.news == .waiting(parts: step + 1, of: 3))
                } else {
                    let message = try #require(complete(outcome.news))
                    #expect(message.text() == "one two three")
                    #expect(message.isComplete)
                    #expect(message.source == "1" && message.destination == "2" && message.reference == 7 && message.total == 3)
                    #expect(message.firstAt == .seconds(0))
                }
            }
            #expect(assembler.messages == 0 && assembler.octets == 0)
            #expect(assembler.nextExpiry == nil)
        }
    }

    @Test("Source, destination, kind of reference, reference and total keep messages apart")
    func keys() throws {
        var assembler = PartAssembler()
        let one = try part(1, of: 2, "a")
        _ = assembler.add(one, from: "1", to: "2", at: .zero)
        _ = assembler.add(one, from: "9", to: "2", at: .zero)
        _ = assembler.add(one, from: "1", to: "9", at: .zero)
        _ = assembler.add(try part(1, of: 2, kind: .udh16, "a"), from: "1", to: "2", at: .zero)
        _ = assembler.add(try part(1, of: 2, kind: .sar, "a"), from: "1", to: "2", at: .zero)
        _ = assembler.add(try part(1, of: 2, reference: 8, "a"), from: "1", to: "2", at: .zero)
        _ = assembler.add(try part(1, of: 3, "a"), from: "1", to: "2", at: .zero)
        #expect(assembler.messages == 7)
        #expect(complete(assembler.add(try part(2, of: 2, kind: .sar, "b"), from: "1", to: "2", at: .zero).news)?.text() == "ab")
        #expect(assembler.messages == 6)
        #expect(assembler.giveUpAll().count == 6)
        #expect(assembler.messages == 0)
    }

    @Test("A part that comes again is told as repeated, also after the message was complete, until that is forgotten")
    func repeated() throws {
        var assembler = PartAssembler(.init(repeats: .seconds(60)))
        let one = try part(1, of: 2, "a")
        let two = try part(2, of: 2, "b")
        _ = assembler.add(one, from: "1", to: "2", at: .zero)
        #expect(assembler.add(one, from: "1", to: "2", at: .zero).news == .repeated)
        #expect(complete(assembler.add(two, from: "1", to: "2", at: .zero).news) != nil)
        #expect(assembler.add(two, from: "1", to: "2", at: .seconds(59)).news == .repeated)
        #expect(assembler.add(two, from: "1", to: "2", at: .seconds(60)).news == .waiting(parts: 1, of: 2))
        // Another text under the same reference is a new message at once.
        var other = PartAssembler()
        for text in ["a", "b", "c"] {
            _ = other.add(try part(1, of: 2, text), from: "1", to: "2", at: .zero)
            #expect(complete(other.add(try part(2, of: 2, "\(text)!"), from: "1", to: "2", at: .zero).news)?.text() == "\(text)\(text)!")
        }
        var forgetful = PartAssembler(.init(repeats: .zero))
        #expect(complete(forgetful.add(try part(1, of: 1, "x"), from: "1", to: "2", at: .zero).news) != nil)
        #expect(complete(forgetful.add(try part(1, of: 1, "x"), from: "1", to: "2", at: .zero).news) != nil)
    }

    @Test("A reference used anew gives up the older message with the parts it has")
    func reused() throws {
        var assembler = PartAssembler()
        _ = assembler.add(try part(1, of: 3, "old "), from: "1", to: "2", at: .zero)
        _ = assembler.add(try part(3, of: 3, "end"), from: "1", to: "2", at: .zero)
        let outcome = assembler.add(try part(1, of: 3, "new "), from: "1", to: "2", at: .seconds(5))
        #expect(outcome.news == .waiting(parts: 1, of: 3))
        let older = try #require(outcome.givenUp.first)
        #expect(older.missing == [2])
        #expect(!older.isComplete)
        #expect(older.text() == "old [...]end")
        #expect(older.text(gap: "") == "old end")
    }

    @Test("What waits too long is given out with what there is, oldest first")
    func expiry() throws {
        var assembler = PartAssembler(.init(keep: .seconds(100)))
        _ = assembler.add(try part(2, of: 4, reference: 1, "a"), from: "1", to: "2", at: .seconds(0))
        _ = assembler.add(try part(1, of: 2, reference: 2, "b"), from: "1", to: "2", at: .seconds(10))
        #expect(assembler.nextExpiry == .seconds(100))
        #expect(assembler.expire(at: .seconds(99)).isEmpty)
        let first = assembler.expire(at: .seconds(100))
        #expect(first.map(\.missing) == [[1, 3, 4]])
        #expect(first.map { $0.text() } == ["[...]a[...]"])
        #expect(assembler.nextExpiry == .seconds(110))
        // Also when a part comes in.
        let outcome = assembler.add(try part(2, of: 2, reference: 2, "c"), from: "1", to: "2", at: .seconds(500))
        #expect(outcome.givenUp.map(\.reference) == [2])
        #expect(outcome.news == .waiting(parts: 1, of: 2))
    }

    @Test("So many are given up in one call as the caller allows, the rest with the next; a part that comes is not put to an old message")
    func expirySteps() throws {
        var assembler = PartAssembler(.init(keep: .seconds(100)))
        for reference in UInt16(0)..<50 {
            _ = assembler.add(try part(1, of: 2, reference: reference, "a"), from: "1", to: "2", at: .seconds(0))
        }
        #expect(assembler.expire(at: .seconds(100), limit: 0).isEmpty)
        #expect(assembler.expire(at: .seconds(100), limit: 20).map(\.reference) == Array(0..<20))
        // One that comes brings some of the oldest, and its own.
        let outcome = assembler.add(try part(2, of: 2, reference: 49, "b"), from: "1", to: "2", at: .seconds(100))
        #expect(outcome.givenUp.map(\.reference) == Array(20..<36) + [49] && outcome.news == .waiting(parts: 1, of: 2))
        #expect(assembler.expire(at: .seconds(100)).count == 13 && assembler.messages == 1)
    }

    @Test("More messages or octets than allowed: the oldest are given up, none is lost silently")
    func bounds() throws {
        var assembler = PartAssembler(.init(messages: 3, octets: 300))
        var givenUp: [UInt16] = []
        for reference in UInt16(0)..<10 {
            givenUp += assembler.add(try part(1, of: 2, reference: reference, "12345"), from: "1", to: "2", at: .zero).givenUp.map(
                \.reference)
        }
        #expect(givenUp == [0, 1, 2, 3, 4, 5, 6])
        #expect(assembler.messages == 3 && assembler.octets == 15 + 3 * PartAssembler.partOverhead)
        let large = String(repeating: "x", count: 90)
        let outcome = assembler.add(try part(1, of: 2, reference: 99, large), from: "1", to: "2", at: .zero)
        #expect(outcome.givenUp.map(\.reference) == [7])
        #expect(assembler.octets == 100 + 3 * PartAssembler.partOverhead)
        let tooLarge = String(repeating: "x", count: 237)
        #expect(
            assembler.add(try part(1, of: 2, reference: 100, tooLarge), from: "1", to: "2", at: .zero).givenUp.map(\.reference) == [
                8, 9, 99, 100,
            ])
        #expect(assembler.messages == 0 && assembler.octets == 0)
        // Complete ones that are remembered are bounded too: the oldest is forgotten, and its part would begin a message.
        for reference in UInt16(0)..<10 {
            _ = assembler.add(try part(1, of: 1, reference: reference, "a"), from: "1", to: "2", at: .zero)
        }
        #expect(assembler.add(try part(1, of: 1, reference: 9, "a"), from: "1", to: "2", at: .zero).news == .repeated)
        #expect(complete(assembler.add(try part(1, of: 1, reference: 0, "a"), from: "1", to: "2", at: .zero).news) != nil)
    }

    @Test("Random parts: never over a limit, and every part comes out once, in a message or as repeated", arguments: 1...20)
    func random(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var assembler = PartAssembler(.init(messages: 8, octets: 2_000, keep: .seconds(50), repeats: .seconds(next(30))))
        var now = Duration.zero
        var taken = 0
        var out = 0
        for step in 0..<3_000 {
            now += .milliseconds(next(4_000))
            let total = UInt8(1 + next(4))
            let number = UInt8(1 + next(Int(total)))
            let part = try part(number, of: total, reference: UInt16(next(3)), String(repeating: "x", count: next(3) == 0 ? next(300) : 4))
            let outcome = assembler.add(part, from: "\(next(3))", to: "2", at: now)
            if outcome.news != .repeated { taken += 1 }
            if let message = complete(outcome.news) {
                #expect(message.parts.map(\.place.number) == Array(1...UInt8(message.total)))
                out += message.parts.count
            }
            for message in outcome.givenUp {
                #expect(!message.isComplete)
                #expect(message.parts.count + message.missing.count == message.total)
                out += message.parts.count
            }
            #expect(assembler.messages <= 8 && assembler.octets <= 2_000)
            if step % 500 == 0 { out += assembler.expire(at: now).map(\.parts.count).reduce(0, +) }
        }
        out += assembler.giveUpAll().map(\.parts.count).reduce(0, +)
        #expect(taken == out)
        #expect(assembler.octets == 0)
    }

    @Test("A sender that uses one reference for ever costs no memory for it")
    func oneReference() throws {
        var assembler = PartAssembler()
        // An older one that waits, so that nothing behind it can be forgotten from the front.
        _ = assembler.add(try part(1, of: 2, "waits"), from: "0", to: "2", at: .zero)
        var out = 0
        for step in 0..<2_000 {
            let outcome = assembler.add(try part(1, of: 2, "text \(step)"), from: "1", to: "2", at: .zero)
            out += outcome.givenUp.count
            if step % 2 == 0 {
                out += complete(assembler.add(try part(2, of: 2, "end \(step)"), from: "1", to: "2", at: .zero).news) == nil ? 0 : 1
            }
        }
        #expect(out == 1_999)
        #expect(assembler.giveUpAll().map(\.source) == ["0", "1"])
    }

    @Test("What we send in any alphabet and concatenation comes back as the text, in shuffled order", arguments: 1...20)
    func roundTrip(seed: UInt64) throws {
        let texts: [(Alphabet, String)] = [
            (.gsm7, "a word { € "), (.ucs2, "код 😀 "), (.turkishLocking, "şifre € "), (.turkishShift, "şifre "), (.spanishShift, "código "),
            (.portugueseLocking, "ação ∞ "), (.latin1, "garçon ê "), (.cyrillic, "код № "),
        ]
        var state = seed
        var assembler = PartAssembler()
        for (alphabet, piece) in texts {
            for concatenation in [Concatenation.udh8, .udh16, .sar] {
                let text = String(repeating: piece, count: 20 + Int(seed) * 3)
                let plan = try SMSText.plan(text, options: TextOptions(alphabets: [alphabet], concatenation: concatenation))
                guard plan.parts > 1 else { continue }
                var parts: [InboundPart] = []
                try SMSText.forEachPart(text, plan: plan, reference: 0x0155) { number, octets in
                    let header = plan.hasHeader ? UserDataHeader.parse(octets) : nil
                    let place =
                        header?.concatenation
                        ?? UserDataHeader.Concatenated(
                            kind: .sar, reference: 0x0155, total: UInt8(plan.parts), number: UInt8(number + 1))
                    guard let place else { return }
                    parts.append(
                        InboundPart(
                            place: place, dataCoding: plan.dataCoding, header: header,
                            octets: [UInt8](octets.dropFirst(header?.octets ?? 0))))
                }
                #expect(parts.count == plan.parts)
                for index in parts.indices.reversed() {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    parts.swapAt(index, Int((state >> 33) % UInt64(index + 1)))
                }
                var whole: String?
                for part in parts {
                    whole = complete(assembler.add(part, from: "\(alphabet)", to: "\(concatenation)", at: .zero).news)?.text() ?? whole
                }
                #expect(whole == text)
            }
        }
    }

    @Test("A letter that a careless sender cut in two is whole again; parts in different alphabets are read each in its own")
    func cutLetters() throws {
        var assembler = PartAssembler()
        func add(_ number: UInt8, _ octets: [UInt8], _ dataCoding: UInt8, reference: UInt16) throws -> AssembledMessage? {
            let place = try #require(UserDataHeader.Concatenated(kind: .udh8, reference: reference, total: 2, number: number))
            let part = InboundPart(place: place, dataCoding: dataCoding, octets: octets)
            return complete(assembler.add(part, from: "1", to: "2", at: .zero).news)
        }
        _ = try add(1, [0x04, 0x16, 0xD8, 0x3D], 8, reference: 1)
        #expect(try add(2, [0xDE, 0x00], 8, reference: 1)?.text() == "Ж😀")
        _ = try add(1, [0x41, 0x1B], 0, reference: 2)
        #expect(try add(2, [0x65], 0, reference: 2)?.text() == "A€")
        _ = try add(1, [0x00], 0, reference: 3)
        #expect(try add(2, [0x04, 0x16], 8, reference: 3)?.text() == "@Ж")
        _ = try add(1, [0x00], 0, reference: 4)
        #expect(try add(2, [0xE9], 3, reference: 4)?.text(AlphabetProfile(zero: .latin1)) == "\u{0}é")
        #expect(UserDataHeader.Concatenated(kind: .sar, reference: 1, total: 0, number: 0) == nil)
        #expect(UserDataHeader.Concatenated(kind: .sar, reference: 1, total: 2, number: 3) == nil)
    }
}
