import MartletModel
import NIOCore
import NIOEmbedded
import SMPP
import Testing

@testable import MartletChannels

@Suite struct SMPPLifeTests {
    @Test("A peer that cannot be reached is tried at once, then after growing, jittered waits of at most 30 s")
    func redial() throws {
        let world = World()
        world.failingDials = 12
        let connection = world.connection()
        try connection.start()
        world.turn()
        #expect(connection.status.state == .waiting && connection.status.lastError.contains("cannot connect"))
        world.advance(milliseconds: 240_000, step: 50)
        #expect(connection.status.state == .bound && world.dials.count == 13)
        let gaps = zip(world.dials, world.dials.dropFirst()).map { $1 - $0 }
        #expect(gaps[0] == 0)
        for (index, gap) in gaps.dropFirst().enumerated() {
            let whole = min(SMPPLink.waitMaximum, SMPPLink.waitFirst << Int64(index))
            #expect(gap >= whole / 2 && gap <= whole + 100_000)
        }
        #expect(SMPPLink.wait(failures: 500, random: .max) <= SMPPLink.waitMaximum)
        #expect(SMPPLink.wait(failures: 1, random: 0) == SMPPLink.waitFirst / 2)
    }

    @Test("A refused bind is told by its status and tried again later; one without an answer times out")
    func refused() throws {
        let world = World()
        world.bindStatus = .invalidPassword
        let connection = try world.bound()
        #expect(connection.status.lastError == "bind refused: ESME_RINVPASWD" && connection.room == 0)
        world.bindStatus = nil
        world.advance(milliseconds: 800)
        #expect(connection.status.state == .binding)
        world.advance(milliseconds: 12_000)
        #expect(connection.status.lastError == "no answer to the bind")
        world.bindStatus = .ok
        world.advance(milliseconds: 30_000, step: 50)
        #expect(connection.status.state == .bound && connection.counters.binds == 1)
    }

    @Test("A bind that does not last is not tried again at once for ever")
    func flapping() throws {
        let world = World()
        let connection = try world.bound()
        for _ in 0..<3 {
            world.smsc.close()
            world.turn()
        }
        #expect(connection.status.state == .waiting)
        let dials = world.dials.count
        world.advance(milliseconds: 200)
        #expect(world.dials.count == dials)
        world.advance(milliseconds: 2000)
        #expect(connection.status.state == .bound)
    }

    @Test("An error of the transport is the reason told, and the connection is closed")
    func transportError() throws {
        let world = World()
        let connection = try world.bound()
        world.smsc.channel.pipeline.fireErrorCaught(DialFailed())
        world.turn()
        #expect(connection.status.lastError.contains("DialFailed"))
    }

    @Test("A password that cannot be written as C-octets ends the try with its reason")
    func unwritableBind() throws {
        let world = World()
        var settings = World.settings()
        settings.password = "zażółć"
        #expect(settings.faults().map(\.setting) == ["passwordFile"])
        let connection = try world.bound(settings)
        #expect(connection.status.lastError.contains("bind cannot be written"))
    }

    @Test("A stop waits for the answers, unbinds and closes; nothing is taken meanwhile")
    func stop() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 2))
        connection.hand([world.handover(1), world.handover(2, text: String(repeating: "x", count: 300), parts: 2)])
        world.turn()
        var stops = 0
        connection.stop { stops += 1 }
        connection.stop { stops += 1 }
        world.turn()
        #expect(connection.status.state == .draining && connection.room == 0 && stops == 0)
        #expect(world.outcomes(2, part: 1) == [.notWritten])
        connection.hand([world.handover(3)])
        world.turn()
        #expect(world.outcomes(3) == [.notWritten])
        _ = world.smsc.receipt("77")
        world.smsc.submits.forEach { world.smsc.answer($0.sequence) }
        world.smsc.flush()
        world.turn()
        #expect(world.outcomes(1).count == 1 && world.outcomes(2) == [.accepted(providerID: "3")] && world.heard.count == 1)
        #expect(world.smsc.commands.contains(.unbind) && stops == 2 && connection.status.state == .stopped)
        #expect(!world.smsc.channel.isActive)
        connection.stop { stops += 1 }
        #expect(stops == 3)
        world.advance(milliseconds: 60_000, step: 100)
        #expect(world.smscs.count == 1)
        try connection.start()
        world.turn()
        #expect(connection.status.state == .bound && connection.room == 2)
    }

    @Test("A stop gives up on answers after 5 s and on the unbind after another; the rest is unknown")
    func stopCut() throws {
        let world = World()
        world.ignoresUnbind = true
        let connection = try world.bound()
        connection.hand([world.handover(1)])
        world.turn()
        var stopped = false
        connection.stop { stopped = true }
        world.advance(milliseconds: 4900)
        #expect(!stopped && world.outcomes(1).isEmpty && !world.smsc.commands.contains(.unbind))
        world.advance(milliseconds: 200)
        #expect(!stopped && world.smsc.commands.contains(.unbind))
        world.advance(milliseconds: 1000)
        #expect(stopped && world.outcomes(1) == [.unknown])
    }

    @Test("A stop in the middle of dialing or binding ends it there")
    func stopEarly() throws {
        let world = World()
        world.holdsDials = true
        let connection = world.connection()
        try connection.start()
        #expect(connection.status.state == .connecting)
        var stopped = false
        connection.stop { stopped = true }
        world.turn()
        #expect(stopped)
        let (promise, channel) = world.heldDials[0]
        world.connect(channel)
        promise.succeed(channel)
        world.turn()
        #expect(!channel.isActive && world.smsc.commands.isEmpty)

        let second = World()
        second.bindStatus = nil
        let binding = second.connection()
        try binding.start()
        second.turn()
        stopped = false
        binding.stop { stopped = true }
        second.turn()
        #expect(stopped && binding.status.state == .stopped)

        let third = World()
        third.failingDials = 3
        let waiting = third.connection()
        try waiting.start()
        third.turn()
        stopped = false
        waiting.stop { stopped = true }
        #expect(stopped)
        third.advance(milliseconds: 60_000, step: 100)
        #expect(third.dials.count == 2)
    }

    @Test("A held connection stays bound and hears, but takes nothing and gives back what it had not written")
    func hold() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 1))
        connection.hand([world.handover(1, text: String(repeating: "x", count: 300), parts: 2)])
        connection.hold()
        connection.hold()
        world.turn()
        #expect(connection.isHeld && connection.room == 0 && world.outcomes(1, part: 1) == [.notWritten])
        world.smsc.answer(world.smsc.submits[0].sequence)
        world.smsc.flush()
        #expect(world.outcomes(1) == [.accepted(providerID: "2")] && connection.room == 0 && connection.status.state == .bound)
        let changes = world.roomChanges
        connection.release()
        connection.release()
        #expect(connection.room == 1 && world.roomChanges == changes + 1)
    }

    @Test("Window, rates and addresses change on the open bind; every open part is still answered once")
    func reconfigureLive() throws {
        let world = World()
        let connection = try world.bound(World.settings(window: 3))
        connection.hand((1...3).map { world.handover($0) })
        world.turn()
        var settings = World.settings(window: 50)
        settings.sourceTon = 0
        settings.sourceNpi = 8
        settings.destinationTon = 2
        settings.sendValidity = false
        settings.serviceType = "CMT"
        try connection.reconfigure(settings)
        #expect(connection.room == 47 && world.smscs.count == 1)
        connection.hand((4...50).map { world.handover($0) })
        world.turn()
        let last = try #require(world.smsc.submits.last?.message.fields)
        #expect(last.source == Address(ton: 0, npi: 8, text: short("HARBOUR")) && last.destination.ton == 2)
        #expect(last.validityPeriod.isEmpty && last.serviceType.text == "CMT")
        world.smsc.submits.reversed().forEach { world.smsc.answer($0.sequence) }
        world.smsc.flush()
        for index: UInt32 in 1...50 { #expect(world.outcomes(index) == [.accepted(providerID: "\(index + 1)")]) }
        settings.partsPerSecond = 100
        try connection.reconfigure(settings)
        #expect(connection.room == 2)
        #expect(throws: SMPPSettingsFault.self) {
            try connection.reconfigure(SMPPConnectionSettings(name: "", host: "", port: 0, systemID: "", password: ""))
        }
        #expect(connection.settings == settings)
    }

    @Test("Another account means to drain, unbind and bind anew, without losing or doubling")
    func reconfigureRebind() throws {
        let world = World()
        let connection = try world.bound()
        connection.hand([world.handover(1)])
        world.turn()
        var settings = World.settings()
        settings.systemID = "other"
        settings.bind = .split
        try connection.reconfigure(settings)
        #expect(connection.room == 0 && connection.status.state == .draining)
        world.smsc.answer(world.smsc.submits[0].sequence)
        world.smsc.flush()
        world.turn()
        #expect(world.outcomes(1).count == 1 && world.smscs[0].commands.contains(.unbind))
        #expect(world.smscs.count == 3 && world.smscs[1].bind?.systemID == "other" && connection.room == 10)
        // A stop during a rebind is a stop.
        settings.port = 2777
        connection.hand([world.handover(2)])
        world.turn()
        try connection.reconfigure(settings)
        var stopped = false
        connection.stop { stopped = true }
        world.advance(milliseconds: 7000)
        #expect(stopped && connection.status.state == .stopped && world.smscs.count == 3 && world.outcomes(2) == [.unknown])
        // And while stopped, settings are only kept.
        settings.port = 2778
        try connection.reconfigure(settings)
        #expect(connection.status.state == .stopped && connection.settings.port == 2778)
    }

    @Test("A rebind while the bind is down happens at once")
    func reconfigureWhileDown() throws {
        let world = World()
        world.failingDials = 2
        let connection = world.connection()
        try connection.start()
        world.turn()
        #expect(connection.status.state == .waiting)
        var settings = World.settings()
        settings.host = "127.0.0.2"
        try connection.reconfigure(settings)
        world.turn()
        #expect(connection.status.state == .bound && world.dialedSettings.last?.host == "127.0.0.2")
    }

    @Test("TLS files that disappear between reading and using them stop the connection with the reason")
    func dialerFails() throws {
        let world = World()
        var calls = 0
        let connection = SMPPConnection(
            name: "x", number: 1, group: 1, settings: World.settings(), eventLoop: world.loop, owner: world, random: { 0 },
            makeDialer: { _ in
                calls += 1
                if calls > 2 { throw SMPPSettingsFault(setting: "tlsAuthority", reason: "is gone") }
                return world
            })
        try connection.start()
        world.turn()
        var settings = World.settings()
        settings.port = 2777
        try connection.reconfigure(settings)
        world.turn()
        #expect(connection.status.state == .stopped && connection.status.lastError.contains("is gone"))
        #expect(throws: SMPPSettingsFault.self) { try connection.start() }
    }

    @Test(
        "Whatever the peer and the operator do, every part handed over is settled exactly once and the window holds",
        arguments: 1...40 as ClosedRange<UInt64>)
    func seededWorld(seed: UInt64) throws {
        var random = Seeded(seed)
        let world = World()
        var settings = World.settings(window: Int.random(in: 1...8, using: &random))
        settings.answerTimeout = 500
        settings.enquireInterval = 1000
        settings.partsPerSecond = Bool.random(using: &random) ? 50 : 0
        settings.bind = Bool.random(using: &random) ? .split : .transceiver
        let connection = try world.bound(settings, seed: seed)
        var handed: [UInt32: UInt8] = [:]
        var next: UInt32 = 1
        let long = String(repeating: "0123456789", count: 40)
        for _ in 0..<400 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<8:
                var room = connection.room
                let before = connection.status.outstanding
                var batch: [Handover] = []
                while room > 0, Bool.random(using: &random) || batch.isEmpty {
                    let parts: UInt8 = Int.random(in: 0..<4, using: &random) == 0 ? 3 : 1
                    batch.append(world.handover(next, text: parts == 3 ? long : "short", parts: parts, to: 447_000_000_000 + UInt64(next)))
                    handed[next] = parts
                    next += 1
                    room -= Int(parts)
                }
                if !batch.isEmpty { connection.hand(batch) }
                // A window that was made smaller is kept to from then on; what is open stays open.
                #expect(connection.status.outstanding <= max(settings.window, before))
            case 8..<14:
                for smsc in world.smscs where smsc.channel.isActive {
                    while let submit = smsc.submits.popLast(), Int.random(in: 0..<5, using: &random) > 0 {
                        let statuses: [CommandStatus] = [.ok, .ok, .ok, .throttled, .systemError, .invalidDestination]
                        if Int.random(in: 0..<8, using: &random) > 0 {
                            smsc.answer(submit.sequence, statuses.randomElement(using: &random) ?? .ok)
                        }
                    }
                    smsc.flush()
                }
            case 14: world.smscs.randomElement(using: &random)?.close()
            case 15: connection.hold()
            case 16: connection.release()
            case 17:
                settings.window = Int.random(in: 1...60, using: &random)
                if Int.random(in: 0..<4, using: &random) == 0 { settings.systemID = "m\(next)" }
                try connection.reconfigure(settings)
            case 18: world.failingDials = Int.random(in: 0...2, using: &random)
            default: world.advance(milliseconds: Int64.random(in: 1...900, using: &random), step: 20)
            }
            world.turn()
        }
        var stopped = false
        connection.stop { stopped = true }
        world.advance(milliseconds: 10_000, step: 50)
        #expect(stopped && connection.status.state == .stopped, "seed \(seed)")
        var seen: [UInt32: [UInt8]] = [:]
        for one in world.settled { seen[one.slot.index, default: []].append(one.part) }
        #expect(seen.count == handed.count, "seed \(seed)")
        for (index, parts) in handed { #expect(seen[index]?.sorted() == Array(0..<parts), "seed \(seed), message \(index)") }
        // What is said not to be written never was; nothing was written twice.
        let arrived = world.smscs.flatMap(\.arrived).map { "\($0.to)/\($0.part)" }
        let wire = Set(arrived)
        #expect(wire.count == arrived.count, "seed \(seed)")
        for one in world.settled where one.outcome == .notWritten {
            #expect(!wire.contains("\(447_000_000_000 + UInt64(one.slot.index))/\(one.part)"), "seed \(seed)")
        }
    }
}
