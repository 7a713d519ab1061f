import Glibc
import MartletEngine
import MartletModel

/// What the engine does of one event on the loop, all but sealing: decided, written, counted, its record made and folded, its payload kept for the
/// hand-over.
struct Accepting: ~Copyable {
    private var engine: Engine
    private var turn: Turn
    private let definition: EventDefinition
    private let values: [ParameterValue?]
    private let now: Instant
    private let details = CustomerDetails(
        givenName: "Olena", familyName: "Kovalenko", addresses: [.init(number: 1, value: .phone(380_501_234_567))])

    struct NotTold: Error {}

    init(_ book: DecisionBook, event place: Int, said: [EventPayload.NamedValue], wall: Int64) {
        now = Instant(wall: wall, steady: 1_000_000)
        var configuration = Engine.Configuration()
        configuration.openMaximum = 8_000_000
        configuration.routes = Routes([.init(prefix: "", group: 1)])
        engine = Engine(configuration, now: now, seed: 1)
        engine.set(book: book)
        turn = Turn(now: now)
        let definition = book.rules.events[place]
        self.definition = definition
        values = definition.parameters.map { parameter in said.first { $0.name == parameter.name }?.value ?? parameter.assumed }
    }

    /// Nanoseconds of processor time for one event of each of these customers in turn.
    mutating func measure(_ people: [Customer], count: Int) throws -> Double {
        try run(people, 0..<min(count, 1000))
        let began = Accepting.processorNanoseconds()
        try run(people, 1000..<1000 + count)
        return Double(Accepting.processorNanoseconds() - began) / Double(count)
    }

    private mutating func run(_ people: [Customer], _ serials: Range<Int>) throws {
        for serial in serials {
            // Each another, since the event has a limit for one.
            var customer = people[serial & 1023]
            customer.subject = SubjectNumber(serial + 1)
            let event = EventSubmission(
                source: 1, definition: definition, values: values, customer: "40-118-220", occurredAt: now.wall, reference: "r-1",
                receivedAt: now)
            var read = DecisionEvent(event: definition.number, occurredAt: now.wall, card: 1111)
            if case .money(let amount)? = values.first { read.amount = amount }
            let facts = EventFacts(event: read, customer: UInt64(serial))
            turn.begin(now)
            let details = details
            let verdict = engine.accept(
                event, facts, customer, opening: { _ in details }, random: UInt64(serial) &* 0x9E37_79B9_7F4A_7C15, &turn)
            guard case .accepted(_, let parts) = verdict, parts > 0 else { throw NotTold() }
        }
    }

    private static func processorNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
