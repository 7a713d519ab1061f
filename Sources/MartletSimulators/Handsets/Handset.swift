import SMSText

/// One virtual phone: the messages to one number, newest last, joined from their parts.
struct Handset: Sendable, Equatable {
    var number: String
    var mode = PhoneMode.on
    private(set) var bubbles: [Bubble] = []
    /// Messages ever shown, also those that scrolled away.
    private(set) var total = 0
    /// Arrival of the newest part, microseconds since 1970.
    private(set) var touchedAt: Int64 = 0

    /// Most messages a phone remembers.
    static let bubblesMaximum = 20

    init(number: String) {
        self.number = number
    }

    struct Bubble: Sendable, Equatable {
        var smsc: String
        var source: String
        var dataCoding: UInt8
        /// Of the first part that came: its tables are those of all.
        var header: UserDataHeader?
        var isFlash: Bool
        var alphabets: AlphabetProfile
        var atMicros: Int64
        var parts: Int
        var reference: Int
        /// What the phone itself wrote, to `source`; nil for what it was sent.
        var written: String?
        /// By part number: n, octets, progress.
        var arrived: [Int: Part]

        struct Part: Sendable, Equatable {
            var n: UInt64
            var body: [UInt8]
            var progress: MessageRing.Progress
        }

        var isWhole: Bool { arrived.count == parts }

        /// nil until all parts are there: the octets are joined before they are read, since a cut may go through a letter.
        var text: String? {
            if let written { return written }
            guard isWhole else { return nil }
            var octets: [UInt8] = []
            for part in arrived.sorted(by: { $0.key < $1.key }) { octets += part.value.body }
            return SeenMessage.text(octets, dataCoding: dataCoding, header: header, alphabets)
        }

        /// Of all parts: the least advanced, a failure first.
        var progress: MessageRing.Progress {
            let order: [MessageRing.Progress] = [
                .undeliverable, .rejected, .expired, .deleted, .unknown, .held, .enroute, .withheld, .untold, .delivered,
            ]
            for progress in order where arrived.values.contains(where: { $0.progress == progress }) { return progress }
            return .enroute
        }
    }

    /// Puts a message, or one part of it, on the phone.
    mutating func show(_ message: SeenMessage, from smsc: String) {
        touchedAt = max(touchedAt, message.atMicros)
        let part = Bubble.Part(n: message.n, body: message.body, progress: message.progress)
        if message.parts > 1, let index = bubbles.lastIndex(where: { $0.awaits(message, from: smsc) }) {
            bubbles[index].arrived[message.part] = part
            bubbles[index].atMicros = message.atMicros
            return
        }
        add(
            Bubble(
                smsc: smsc, source: message.source, dataCoding: message.dataCoding, header: message.header, isFlash: message.isFlash,
                alphabets: message.alphabets, atMicros: message.atMicros,
                parts: message.parts, reference: message.reference, arrived: [message.part: part]))
    }

    /// Puts what the phone wrote to the bank among what it was sent.
    mutating func show(_ written: Written, from smsc: String) {
        touchedAt = max(touchedAt, written.atMicros)
        add(
            Bubble(
                smsc: smsc, source: written.to, dataCoding: 0, isFlash: false, alphabets: .standard, atMicros: written.atMicros, parts: 1,
                reference: 0, written: written.text, arrived: [1: Bubble.Part(n: 0, body: [], progress: .untold)]))
    }

    private mutating func add(_ bubble: Bubble) {
        total += 1
        // Nearly always at the end; a first look takes in one operator after the other.
        let after = bubbles.lastIndex { $0.atMicros <= bubble.atMicros }
        bubbles.insert(bubble, at: after.map { $0 + 1 } ?? 0)
        if bubbles.count > Self.bubblesMaximum { bubbles.removeFirst() }
    }

    /// Takes over how far part `n` has come; true when that was news.
    mutating func update(_ n: UInt64, from smsc: String, to progress: MessageRing.Progress) -> Bool {
        for index in bubbles.indices where bubbles[index].smsc == smsc {
            for (number, part) in bubbles[index].arrived where part.n == n && part.progress != progress {
                bubbles[index].arrived[number]?.progress = progress
                return true
            }
        }
        return false
    }

    /// Parts of `smsc` whose end is still open.
    func open(on smsc: String) -> [UInt64] {
        var found: [UInt64] = []
        for bubble in bubbles where bubble.smsc == smsc {
            for part in bubble.arrived.values where part.progress == .enroute || part.progress == .held { found.append(part.n) }
        }
        return found
    }

    mutating func forget(_ smsc: String) {
        bubbles.removeAll { $0.smsc == smsc }
    }

    var json: JSONText.Value {
        .map([
            ("number", .text(number)), ("mode", .text(mode.rawValue)), ("total", .integer(total)),
            ("messages", .list(bubbles.map { $0.json })),
        ])
    }
}

extension Handset.Bubble {
    fileprivate func awaits(_ message: SeenMessage, from smsc: String) -> Bool {
        written == nil && self.smsc == smsc && source == message.source && parts == message.parts && reference == message.reference
            && arrived[message.part] == nil
    }

    fileprivate var json: JSONText.Value {
        .map([
            ("operator", .text(smsc)), ("from", .text(source)), ("atMicros", .integer(Int(atMicros))),
            ("text", text.map { .text($0) } ?? .null), ("alphabet", .text(SeenMessage.alphabet(dataCoding, header: header, alphabets))),
            ("flash", .flag(isFlash)), ("written", .flag(written != nil)),
            ("parts", .integer(parts)), ("arrived", .integer(arrived.count)), ("state", .text(progress.word)),
        ])
    }
}

/// The phones on the page, newest first, bounded. A value: what is new comes in as looks at the operators.
struct HandsetShelf: Sendable {
    static let handsetsMaximum = 24

    private(set) var handsets: [Handset] = []
    private var cursors: [String: (generation: Int, n: UInt64, written: UInt64)] = [:]

    init() {}

    func cursor(of smsc: String) -> (generation: Int, n: UInt64, written: UInt64) { cursors[smsc] ?? (0, 0, 0) }

    func open(on smsc: String) -> [UInt64] { handsets.flatMap { $0.open(on: smsc) } }

    var numbers: [String] { handsets.map { $0.number } }

    /// Takes in a look and says which numbers look different now.
    mutating func take(
        _ look: SMSC.Look, from smsc: String, asked: [UInt64], phones: [String], form: Behaviour.AnswerIdForm,
        alphabets: AlphabetProfile = .standard
    ) -> Set<String> {
        var changed: Set<String> = []
        if cursor(of: smsc).generation != look.generation, cursors[smsc] != nil {
            for index in handsets.indices {
                handsets[index].forget(smsc)
                changed.insert(handsets[index].number)
            }
            handsets.removeAll { $0.bubbles.isEmpty && $0.mode == .on }
        } else {
            for (n, progress) in zip(asked, look.progress) {
                guard let progress else { continue }
                for index in handsets.indices where handsets[index].update(n, from: smsc, to: progress) {
                    changed.insert(handsets[index].number)
                }
            }
        }
        for (phone, mode) in zip(phones, look.modes) {
            guard let index = handsets.firstIndex(where: { $0.number == phone }), handsets[index].mode != mode else { continue }
            handsets[index].mode = mode
            changed.insert(phone)
        }
        for kept in look.messages {
            guard let message = SeenMessage(kept, form: form, alphabets: alphabets) else { continue }
            show(on: message.destination) { $0.show(message, from: smsc) }
            changed.insert(message.destination)
        }
        for written in look.written {
            show(on: written.from) { $0.show(written, from: smsc) }
            changed.insert(written.from)
        }
        cursors[smsc] = (look.generation, look.newest, look.newestWritten)
        return changed
    }

    private mutating func show(on number: String, _ put: (inout Handset) -> Void) {
        var handset: Handset
        if let index = handsets.firstIndex(where: { $0.number == number }) {
            // A phone keeps its place while it is among the first, so that the page does not dance.
            if index < Self.steady {
                put(&handsets[index])
                return
            }
            handset = handsets.remove(at: index)
        } else {
            handset = Handset(number: number)
        }
        put(&handset)
        // By time and not simply in front: the first look takes in one operator after the other.
        handsets.insert(handset, at: handsets.firstIndex { $0.touchedAt <= handset.touchedAt } ?? handsets.count)
        if handsets.count > Self.handsetsMaximum { handsets.removeLast() }
    }

    /// So many phones stay where they are when a message comes.
    static let steady = 10

    func handset(_ number: String) -> Handset? { handsets.first { $0.number == number } }

    mutating func setMode(_ mode: PhoneMode, of number: String) {
        if let index = handsets.firstIndex(where: { $0.number == number }) { handsets[index].mode = mode }
    }

    var json: JSONText.Value { .list(handsets.map { $0.json }) }
}
