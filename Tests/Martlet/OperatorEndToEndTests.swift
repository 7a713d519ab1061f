import MartletChannels
import MartletModel
import MartletSimulators
import NIOCore
import NIOPosix
import SMPP
import SMSText
import Testing

/// Whom a connection tells; counts until all parts are answered and told of.
private final class Listener: ConnectionOwner {
    var accepted: [String] = []
    var heard: [Heard] = []
    var isBound = false
    let wanted: Int
    let bound: EventLoopPromise<Void>
    let done: EventLoopPromise<Void>

    init(wanted: Int, bound: EventLoopPromise<Void>, done: EventLoopPromise<Void>) {
        self.wanted = wanted
        self.bound = bound
        self.done = done
    }

    func now() -> Instant {
        let steady = Int64(NIODeadline.now().uptimeNanoseconds / 1000)
        return Instant(wall: 1_795_000_000_000_000 + steady, steady: steady)
    }

    func settled(_ batch: [Settled], by connection: any Connection) {
        for one in batch { accepted.append(one.outcome.providerID) }
        check()
    }

    func heard(_ batch: [Heard], by connection: any Connection, durable: @escaping (Bool) -> Void) {
        heard += batch
        durable(true)
        check()
    }

    func received(_ batch: [Inbound], by connection: any Connection, durable: @escaping (Bool) -> Void) { durable(false) }

    func roomChanged(_ connection: any Connection) {
        if !isBound, connection.room > 0 {
            isBound = true
            bound.succeed()
        }
    }

    private func check() {
        if accepted.count == wanted, heard.filter({ $0.state.isFinal }).count == wanted { done.succeed() }
    }
}

/// A connection of ours and a simulated operator, over a real socket: what the planner, the connection and the handset make of a text.
@Suite("Operators' profiles, end to end", .serialized, .timeLimit(.minutes(2)))
struct OperatorEndToEndTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var words: OperatorProfileWords
        var alphabets = AlphabetProfile.standard
        /// What is given, what a phone shows.
        var texts: [(String, String)]
        var testDescription: String { name }
    }

    private static let long = String(repeating: "Your statement of November is ready. ", count: 9)
    private static let turkish = String(repeating: "Şifreniz değişti, lütfen şubeye uğrayın. ", count: 5)
    private static let ukrainian = String(repeating: "Ваш код підтвердження ", count: 10)

    static let cases: [Case] = [
        Case(
            name: "standard", words: .init(),
            texts: [("Hello @ £", "Hello @ £"), (long, long), ("Привіт 😀", "Привіт 😀"), (ukrainian, ukrainian)]),
        Case(
            name: "latin1", words: .init(preset: "latin1"), alphabets: AlphabetProfile(zero: .latin1),
            texts: [("a@_é", "a@_é"), (long + "é", long + "é"), ("5 €", "5 €")]),
        Case(
            name: "ascii", words: .init(preset: "ascii"), alphabets: AlphabetProfile(zero: .ascii), texts: [("a@_$", "a@_$"), ("é", "é")]),
        Case(name: "turkish", words: .init(preset: "turkish"), texts: [("aşk", "aşk"), (turkish, turkish), (long, long)]),
        Case(
            name: "portuguese, udh16", words: .init(preset: "portuguese", concatenation: "udh16"),
            texts: [("não", "não"), (String(repeating: "informação ", count: 30), String(repeating: "informação ", count: 30))]),
        Case(name: "spanish", words: .init(preset: "spanish"), texts: [("Ávila está aquí", "Ávila está aquí")]),
        Case(
            name: "cyrillic, sar", words: .init(preset: "cyrillic", concatenation: "sar"), texts: [("Код", "Код"), (ukrainian, ukrainian)]),
        Case(name: "sar", words: .init(concatenation: "sar"), texts: [(long, long), (ukrainian, ukrainian)]),
        Case(name: "payload", words: .init(concatenation: "payload"), texts: [(long, long), (ukrainian, ukrainian), ("short", "short")]),
        Case(
            name: "turkish, payload", words: .init(preset: "turkish", concatenation: "payload"), texts: [(turkish, turkish)]),
        Case(
            name: "gsm7", words: .init(preset: "gsm7"),
            texts: [("Привет, “Анна”", "Privet, \"Anna\""), ("Zażółć", "Zazolc"), ("Café", "Café")]),
        Case(
            name: "own numbers", words: .init(dataCodings: "gsm7=0x11 ucs2=0x09", intermediateReceipts: true),
            alphabets: {
                var own = AlphabetProfile.standard
                (own.gsm7, own.ucs2) = (0x11, 9)
                return own
            }(), texts: [("@ £", "@ £"), ("Привіт", "Привіт")]),
    ]

    /// Sends the texts; what the phone shows, and what came back.
    private func run(_ it: Case) async throws -> (shown: [String], parts: Int, listener: (accepted: [String], heard: [Heard])) {
        let (profile, faults) = it.words.read()
        #expect(faults.isEmpty)
        let simulators = try await Simulators.start(
            SimulatorSettings(
                adminPort: 0, smscs: [SMSCSettings(name: "north", port: 0, password: "secret", alphabets: it.alphabets)]),
            nowMicros: 1_795_370_941_000_000)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let plans = try it.texts.map { try profile.rules.plan($0.0) }
        let submits = plans.reduce(0) { $0 + $1.plan.submits }
        let (bound, done) = (loop.makePromise(of: Void.self), loop.makePromise(of: Void.self))
        let settings = SMPPConnectionSettings(
            name: "north", host: "127.0.0.1", port: simulators.smscs[0].port, systemID: "martlet", password: "secret", profile: profile)
        let texts = it.texts
        let pair = try await loop.submit {
            let listener = Listener(wanted: submits, bound: bound, done: done)
            let made = try SMPPConnections.make(settings, firstNumber: 1, group: 1, on: loop, owner: listener) { 0 }
            try made[0].start()
            return NIOLoopBound((listener, made[0]), eventLoop: loop)
        }.get()
        try await bound.futureResult.get()
        try await loop.submit {
            let (listener, connection) = pair.value
            let now = listener.now()
            for (index, plan) in plans.enumerated() {
                let all = plan.plan.submits
                connection.hand([
                    Handover(
                        slot: SlotReference(index: UInt32(index), generation: 1), id: MessageID(high: 0, low: UInt64(index)), attempt: 1,
                        parts: UInt8(all), partMask: (1 << UInt16(all)) - 1, partsReference: UInt16(7 + index),
                        messageClass: .transactional,
                        to: PhoneNumber(digits: 447_700_900_100 + UInt64(index)), from: "HARBOUR", text: texts[index].0,
                        textShape: plan.shape.code, deadline: now.wallMilliseconds + 60_000, acceptedAt: now)
                ])
            }
        }.get()
        try await done.futureResult.get()
        let seen = try await loop.submit { (pair.value.0.accepted, pair.value.0.heard) }.get()
        var shown: [String] = []
        for index in texts.indices { shown += await simulators.texts(of: "\(447_700_900_100 + index)") }
        let stopped = loop.makePromise(of: Void.self)
        loop.execute { pair.value.1.stop { stopped.succeed() } }
        try await stopped.futureResult.get()
        try await simulators.stop()
        try await group.shutdownGracefully()
        return (shown, submits, seen)
    }

    @Test("Every text is on its phone as it should read, each submit answered and told of", arguments: cases)
    func texts(_ it: Case) async throws {
        let (shown, submits, (accepted, heard)) = try await run(it)
        #expect(shown == it.texts.map(\.1))
        #expect(accepted.count == submits && accepted.allSatisfy { !$0.isEmpty })
        #expect(Set(heard.filter(\.state.isFinal).map(\.providerID)) == Set(accepted))
        #expect(heard.filter { $0.state == .enroute }.count == (it.words.intermediateReceipts ? submits : 0))
        #expect(heard.allSatisfy { (447_700_900_100...447_700_900_110).contains($0.handset) })
    }
}
