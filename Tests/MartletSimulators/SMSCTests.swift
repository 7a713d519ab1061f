import SMPP
import Testing

@testable import MartletSimulators

/// Drives an operator over TCP as an ESME does.
@Suite("An operator on the wire", .timeLimit(.minutes(2)))
struct SMSCTests {
    @Test("A bind is taken with the right names and refused with the wrong ones")
    func binds() async throws {
        try await world(smsc { $0.password = "secret" }) { _, smsc in
            for (systemId, password, status) in [("martlet", "secret", UInt32(0)), ("martlet", "wrong", 0x0E), ("other", "secret", 0x0F)] {
                let client = try await Client(port: smsc.port)
                #expect(try await client.bind(systemId: systemId, password: password) == status)
                if status == 0 {
                    #expect(try await client.bind(systemId: systemId, password: password) == 0x05)
                    #expect(await smsc.stats()?.binds == 1)
                    try await client.send(0x06)
                    #expect(await client.next()?.command == 0x8000_0006)
                }
                #expect(await client.next() == nil)
            }
            let long = try await Client(port: smsc.port)
            #expect(try await long.bind(systemId: "a system id that is too long") == 0x0F)
            #expect(await long.next() == nil)
        }
    }

    @Test("A submit gets an answer with an id and then a receipt that names it")
    func submits() async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            let sequence = try await client.submit()
            let answer = await client.next()
            #expect(answer?.command == 0x8000_0004 && answer?.status == 0 && answer?.sequence == sequence)
            let id = answer?.word ?? ""
            #expect(id == "1795370941000000")
            let receipt = await client.next()
            #expect(receipt?.command == 0x05)
            #expect(receipt?.text.contains("id:\(id) sub:001 dlvrd:001") == true && receipt?.text.contains("stat:DELIVRD") == true)
            try await client.send(0x8000_0005, [0], sequence: receipt?.sequence)
            try await client.send(0x15)
            #expect(await client.next()?.command == 0x8000_0015)
            let stats = await smsc.stats()
            #expect(stats?.submits == 1 && stats?.unique == 1 && stats?.receiptsSent == 1 && stats?.receiptsAnswered == 1)
        }
    }

    @Test(
        "Receipts come as registered_delivery asks: none, any end, failures, successes",
        arguments: [
            (UInt8(0), 0), (1, 2), (2, 1), (3, 1),
        ])
    func registered(_ registered: UInt8, _ expected: Int) async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit(Submit(registered: registered))
            _ = await client.next(0x8000_0004)
            _ = try await smsc.change([.init(key: "receiptStatus", value: Loose(.text("UNDELIV")))])
            _ = try await client.submit(Submit(registered: registered))
            _ = await client.next(0x8000_0004)
            // What was to come came before the answer to this.
            try await client.send(0x15)
            _ = await client.next(0x8000_0015)
            #expect(await smsc.stats()?.receiptsSent == UInt64(expected))
        }
    }

    @Test("Malformed and misplaced PDUs are answered with the status that says so")
    func mistakes() async throws {
        try await world { _, smsc in
            let client = try await Client(port: smsc.port)
            _ = try await client.submit()
            #expect(await client.next()?.status == 0x04)
            try await client.send(0x03, z("1"))
            #expect(await client.next()?.status == 0x04)
            try await client.send(0x08, [0] + z("1"))
            #expect(await client.next()?.status == 0x04)
            _ = try await client.bind(0x02)
            var nowhere = Submit()
            nowhere.destination = ""
            var tooLong = Submit()
            tooLong.destination = "123456789012345678901"
            var wide = Submit()
            wide.source = "a sender that is too long"
            var badTLV = Submit()
            badTLV.parameters = [4, 0x24, 0, 9, 1]
            var cutTLV = Submit()
            cutTLV.parameters = [4, 0x24]
            var oddTLV = Submit()
            oddTLV.parameters = [2, 0x0C, 0, 1, 1]
            for (submit, status) in [
                (nowhere, UInt32(0x0B)), (tooLong, 0x0B), (wide, 0x0A), (badTLV, 0xC0), (cutTLV, 0xC0), (oddTLV, 0xC2),
            ] {
                _ = try await client.submit(submit)
                #expect(await client.next()?.status == status)
            }
            for cut in [3, 14, 30, 35] {
                try await client.send(0x04, Array(Submit().body.prefix(cut)))
                #expect(await client.next()?.status == 0x02)
            }
            try await client.send(0x04, Array(Submit().body.dropLast()))
            #expect(await client.next()?.status == 0x01)
            try await client.send(0x21)
            let nack = await client.next()
            #expect(nack?.command == 0x8000_0000 && nack?.status == 0x03)
            // Answers nobody asked for are passed over.
            try await client.send(0x8000_0015)
            try await client.send(0x8000_0103)
            try await client.send(0x8000_0005, [0])
            let stats = await smsc.stats()
            #expect(stats?.accepted == 0 && stats?.refused == 12)
            try await client.write([0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1])
            #expect(await client.next()?.command == 0x8000_0000)
            #expect(await client.next() == nil)
        }
    }

    @Test("A PDU that comes octet by octet, and many that come in one write, are all answered")
    func stream() async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            for octet in pdu(0x04, Submit(registered: 0).body, sequence: 77) { try await client.write([octet]) }
            #expect(await client.next()?.sequence == 77)
            try await client.write((UInt32(100)..<400).flatMap { pdu(0x04, Submit(registered: 0).body, sequence: $0) })
            for sequence in UInt32(100)..<400 { #expect(await client.next()?.sequence == sequence) }
            let stats = await smsc.stats()
            #expect(stats?.submits == 301 && stats?.duplicates == 300 && stats?.unique == 1)
            #expect((stats?.maxOutstanding ?? 0) > 1 && stats?.outstanding == 0)
            #expect((stats?.maxPerSecond ?? 0) >= 300)
        }
    }

    @Test("Delays hold answers and receipts back, and what is held counts as outstanding")
    func delays() async throws {
        try await world(
            smsc {
                $0.behaviour.delayMs = 30; $0.behaviour.receiptAfterMs = 20
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            let before = ContinuousClock.now
            try await client.write((UInt32(1)...3).flatMap { pdu(0x04, Submit().body, sequence: $0) })
            let kinds = [await client.next()?.command, await client.next()?.command, await client.next()?.command]
            #expect(kinds == [0x8000_0004, 0x8000_0004, 0x8000_0004])
            #expect(ContinuousClock.now - before >= .milliseconds(30))
            #expect(await client.next()?.command == 0x05)
            #expect(ContinuousClock.now - before >= .milliseconds(50))
            #expect(await smsc.stats()?.maxOutstanding == 3)
        }
    }

    @Test("Over the window, over the limit a second and by share, submits are throttled")
    func throttles() async throws {
        try await world(
            smsc {
                $0.window = 2; $0.behaviour.delayMs = 50
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            try await client.write((UInt32(1)...3).flatMap { pdu(0x04, Submit().body, sequence: $0) })
            let first = await client.next()
            #expect(first?.sequence == 3 && first?.status == 0x58)
            #expect(await smsc.stats()?.throttled == 1)
        }
        try await world(smsc { $0.behaviour.tps = 5 }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            var taken = 0
            try await client.write((UInt32(1)...20).flatMap { pdu(0x04, Submit(registered: 0).body, sequence: $0) })
            for _ in 0..<20 where await client.next()?.status == 0 { taken += 1 }
            #expect(taken == 5)
        }
        try await world(
            smsc {
                $0.behaviour.throttlePercent = 100; $0.behaviour.delayMs = 5
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            let answer = await client.next()
            #expect(answer?.status == 0x58 && answer?.body.isEmpty == true)
            #expect(await smsc.messages(after: 0, limit: 9).messages.isEmpty)
        }
    }

    @Test("Silence, a lost answer, and a bind dropped at its n-th submit all take the message")
    func unanswered() async throws {
        try await world(smsc { $0.behaviour.silent = true }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            #expect(await client.next()?.command == 0x05)
            #expect(await smsc.stats()?.unanswered == 1)
            #expect(await smsc.stats()?.outstanding == 1)
        }
        try await world(smsc { $0.behaviour.dropBindAfter = 3 }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            try await client.write((UInt32(1)...5).flatMap { pdu(0x04, Submit(registered: 0).body, sequence: $0) })
            #expect(await client.next()?.sequence == 1)
            #expect(await client.next()?.sequence == 2)
            #expect(await client.next() == nil)
            let stats = await smsc.stats()
            #expect(stats?.accepted == 3 && stats?.unanswered == 1 && stats?.binds == 0)
        }
    }

    @Test("Answers twice, receipts early, twice, lost, unknown and in other forms come as told")
    func mischief() async throws {
        try await world(
            smsc {
                $0.behaviour.answerTwicePercent = 100; $0.behaviour.receiptBeforeAnswerPercent = 100
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            #expect(
                [await client.next()?.command, await client.next()?.command, await client.next()?.command] == [5, 0x8000_0004, 0x8000_0004])
        }
        try await world(
            smsc {
                $0.behaviour.duplicateReceiptPercent = 100; $0.behaviour.answerIdForm = .hex; $0.behaviour.receiptIdForm = .decimal
            }
        ) {
            _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            let id = await client.next()?.word ?? ""
            let first = await client.next()
            let second = await client.next()
            #expect(first?.text == second?.text)
            #expect(first?.text.contains("id:\(UInt64(id, radix: 16) ?? 0) ") == true)
        }
        try await world(
            smsc {
                $0.behaviour.unknownReceiptPercent = 100; $0.behaviour.receiptTlvs = false
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            let id = await client.next()?.word ?? "?"
            let receipt = await client.next()
            #expect(
                receipt?.text.contains("id:") == true && receipt?.text.contains(id) == false && receipt?.text.hasSuffix("text:") == true)
        }
        try await world(smsc { $0.behaviour.lostReceiptPercent = 100 }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            _ = await client.next()
            #expect(await smsc.messages(after: 0, limit: 1).messages.first?.progress == .withheld)
            #expect(await smsc.stats()?.receiptsSent == 0)
        }
    }

    @Test("Receipts wait for a receiver, and those a bind did not answer go out again on the next one")
    func receiversComeAndGo() async throws {
        try await world { _, smsc in
            let sender = try await Client.bound(to: smsc, as: 0x02)
            for _ in 0..<3 {
                _ = try await sender.submit()
                _ = await sender.next()
            }
            #expect(await smsc.stats()?.receiptsWaiting == 3)
            let first = try await Client.bound(to: smsc, as: 0x01)
            let one = await first.next(0x05)
            let two = await first.next(0x05)
            let three = await first.next(0x05)
            try await first.send(0x8000_0005, [0], sequence: two?.sequence)
            try await first.send(0x15)
            _ = await first.next(0x8000_0015)
            // A receiver must not submit.
            _ = try await first.submit()
            #expect(await first.next(0x8000_0004)?.status == 0x04)
            try await first.close()
            let second = try await Client.bound(to: smsc, as: 0x01)
            #expect(await second.next(0x05)?.body == one?.body)
            #expect(await second.next(0x05)?.body == three?.body)
            #expect(await smsc.stats()?.receiptsReturned == 2)
            #expect(await smsc.stats()?.receiptsSent == 3)
        }
    }

    @Test("A receipt refused for now is offered again; one refused for good is not")
    func refusedReceipts() async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            let receipt = await client.next(0x05)
            try await client.send(0x8000_0005, [0], status: 0x64, sequence: receipt?.sequence)
            let again = await client.next(0x05)
            #expect(again?.body == receipt?.body)
            try await client.send(0x8000_0005, [0], status: 0x65, sequence: again?.sequence)
            try await client.send(0x15)
            _ = await client.next(0x8000_0015)
            let stats = await smsc.stats()
            #expect(stats?.receiptsRefused == 2 && stats?.receiptsWaiting == 0)
        }
    }

    @Test("More receipts than a bind may leave unanswered wait until it answers")
    func flow() async throws {
        try await world(
            smsc {
                $0.keep = 0; $0.duplicateWindow = 0
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            let total = DeliverWindow.size + 50
            try await client.write((0..<UInt32(total)).flatMap { pdu(0x04, Submit().body, sequence: $0 + 1) })
            for _ in 0..<total { _ = await client.next(0x8000_0004) }
            #expect(await smsc.stats()?.receiptsWaiting == 50)
            for _ in 0..<DeliverWindow.size {
                let receipt = await client.next(0x05)
                try await client.send(0x8000_0005, [0], sequence: receipt?.sequence)
            }
            for _ in 0..<50 { #expect(await client.next(0x05) != nil) }
            #expect(await smsc.stats()?.receiptsWaiting == 0)
            #expect(await smsc.stats()?.duplicates == 0)
        }
    }

    @Test("query_sm tells the state, cancel_sm stops what is still under way")
    func queries() async throws {
        try await world(smsc { $0.behaviour.receiptAfterMs = 60_000 }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            let id = await client.next()?.word ?? ""
            try await client.send(0x03, z(id) + [5, 0] + z("HARBOUR"))
            let enroute = await client.next()
            #expect(enroute?.status == 0 && enroute?.body == z(id) + [0, 1, 0])
            try await client.send(0x08, [0] + z(id) + [5, 0] + z("") + [1, 1] + z(""))
            #expect(await client.next()?.status == 0)
            try await client.send(0x03, z(id) + [5, 0] + z("HARBOUR"))
            #expect(await client.next()?.body == z(id) + [0, 4, 0])
            try await client.send(0x08, [0] + z(id) + [5, 0] + z("") + [1, 1] + z(""))
            #expect(await client.next()?.status == 0x11)
            for body in [z("nonsense"), z("42"), []] {
                try await client.send(0x03, body)
                #expect(await client.next()?.status == 0x67)
                try await client.send(0x08, [0] + body)
                #expect(await client.next()?.status == 0x0C)
            }
        }
    }

    @Test("By its behaviour it does not know the commands, fails them, is late or says nothing; all are counted")
    func inquiries() async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit(Submit(registered: 0))
            let id = await client.next()?.word ?? ""
            let cancel = [0] + z(id) + [5, 0] + z("") + [1, 1] + z("")
            func set(_ field: String, _ value: String) async throws {
                _ = try await smsc.change([.init(key: field, value: Loose(.text(value)))])
            }
            for (word, query, cancelled) in [("unknown", UInt32(3), UInt32(3)), ("fail", 0x67, 0x11)] {
                try await set("query", word)
                try await set("cancel", word)
                try await client.send(0x03, z(id) + [5, 0] + z("HARBOUR"))
                let one = await client.next()
                #expect(one?.status == query && one?.command == (word == "unknown" ? 0x8000_0000 : 0x8000_0003))
                try await client.send(0x08, cancel)
                #expect(await client.next()?.status == cancelled)
            }
            try await set("query", "silent")
            try await client.send(0x03, z(id) + [5, 0] + z("HARBOUR"))
            try await set("query", "truthful")
            _ = try await smsc.change([.init(key: "inquiryDelayMs", value: Loose(.integer(30)))])
            let last = try await client.send(0x03, z(id) + [5, 0] + z("HARBOUR"))
            let answer = await client.next()
            #expect(answer?.sequence == last && answer?.body == z(id) + [0, 2, 0])
            let stats = await smsc.stats()
            #expect(stats?.queries == 4 && stats?.cancels == 2)
        }
    }

    @Test("A cancelled message gets no receipt when its time comes")
    func cancelled() async throws {
        try await world(smsc { $0.behaviour.receiptAfterMs = 100 }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            let id = await client.next()?.word ?? ""
            try await client.send(0x08, [0] + z(id) + [5, 0] + z("") + [1, 1] + z(""))
            #expect(await client.next()?.status == 0)
            _ = try await client.submit()
            _ = await client.next(0x8000_0004)
            let receipt = await client.next(0x05)
            #expect(receipt?.text.contains(id) == false)
        }
    }

    @Test("A phone that is off holds its messages; on again it gets them, or they expire; a silent one gives no receipts")
    func phones() async throws {
        try await world(smsc { $0.behaviour.offExpireMs = 600_000 }) { _, smsc in
            let client = try await Client.bound(to: smsc)
            #expect(await smsc.setPhone("447700900123", .off))
            _ = try await client.submit()
            _ = await client.next(0x8000_0004)
            #expect(await smsc.messages(after: 0, limit: 1).messages.first?.progress == .held)
            #expect((await smsc.stats()?.receiptsWaiting ?? 0) >= 1)
            #expect(await smsc.setPhone("447700900123", .on))
            #expect(await client.next()?.text.contains("stat:DELIVRD") == true)

            #expect(await smsc.setPhone("447700900123", .silent))
            _ = try await client.submit()
            _ = await client.next(0x8000_0004)
            #expect(await smsc.messages(after: 1, limit: 1).messages.first?.progress == .withheld)
            #expect(await smsc.setPhone("447700900123", .on))

            // Without a receipt asked for it waits just the same.
            #expect(await smsc.setPhone("447700900123", .off))
            _ = try await client.submit(Submit(registered: 0))
            _ = await client.next(0x8000_0004)
            #expect(await smsc.setPhone("447700900123", .silent))
            #expect(await smsc.messages(after: 2, limit: 1).messages.first?.progress == .untold)

            _ = try await smsc.change([.init(key: "offExpireMs", value: Loose(.integer(10)))])
            #expect(await smsc.setPhone("447700900123", .off))
            _ = try await client.submit()
            #expect(await client.next(0x05)?.text.contains("stat:EXPIRED") == true)
            #expect(await smsc.messages(after: 3, limit: 1).messages.first?.progress == .expired)
            // Nobody asked, so nobody is told; the state is known all the same.
            _ = try await client.submit(Submit(registered: 0))
            _ = try await client.submit()
            #expect(await client.next(0x05) != nil)
            #expect(await smsc.messages(after: 4, limit: 1).messages.first?.progress == .expired)
        }
    }

    @Test("Reset forgets messages, counts and waiting receipts, and begins the fates anew; ids go on")
    func reset() async throws {
        try await world(
            smsc {
                $0.behaviour.refusePercent = 50; $0.behaviour.receiptAfterMs = 60_000
            }
        ) { _, smsc in
            let client = try await Client.bound(to: smsc)
            func round() async throws -> (fates: [UInt32], ids: [String]) {
                var fates: [UInt32] = []
                var ids: [String] = []
                for _ in 0..<40 {
                    _ = try await client.submit()
                    let answer = await client.next()
                    fates.append(answer?.status ?? 99)
                    if let word = answer?.word, !word.isEmpty { ids.append(word) }
                }
                return (fates, ids)
            }
            let first = try await round()
            await smsc.reset()
            let clean = await smsc.stats()
            #expect(clean?.submits == 0 && clean?.kept == 0 && clean?.receiptsWaiting == 0 && clean?.binds == 1)
            let second = try await round()
            #expect(first.fates == second.fates && first.fates.contains(0) && first.fates.contains(0x45))
            #expect(Set(first.ids).isDisjoint(with: second.ids))
        }
    }

    @Test("An operator that is down lets nobody stay")
    func down() async throws {
        try await world { _, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await smsc.change([.init(key: "preset", value: Loose(.text("down")))])
            #expect(await client.next() == nil)
            let other = try await Client(port: smsc.port)
            #expect(await other.next() == nil)
            _ = try await smsc.change([.init(key: "disconnect", value: Loose(.flag(false)))])
            let third = try await Client.bound(to: smsc)
            await smsc.disconnect()
            #expect(await third.next() == nil)
        }
    }

    @Test("A port that is taken is named, and nothing stays open")
    func taken() async throws {
        try await world { world, smsc in
            let twin = SimulatorSettings(adminPort: 0, smscs: [SMSCSettings(name: "a", port: 0), SMSCSettings(name: "b", port: smsc.port)])
            let error = await #expect(throws: StartError.self) { try await Simulators.start(twin, nowMicros: 1) }
            #expect(error?.description.hasPrefix("operator b on 127.0.0.1:\(smsc.port): ") == true)
            let port = Int(world.adminEndpoint.split(separator: ":").last ?? "") ?? 0
            let admin = SimulatorSettings(adminPort: port, smscs: [SMSCSettings(name: "a", port: 0)])
            let other = await #expect(throws: StartError.self) { try await Simulators.start(admin, nowMicros: 1) }
            #expect(other?.what.hasPrefix("admin API") == true)
        }
    }
}
