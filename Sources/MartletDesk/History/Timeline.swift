public import MartletModel
import MartletStore
import SQL

/// A contact with a customer that did not go through Martlet: in a branch, at the call centre, on a social page.
public struct TimelineContact: Equatable, Sendable {
    /// Its place in the order of contacts; none has the number of another.
    public struct Place: Equatable, Sendable {
        /// Wall milliseconds.
        public var at: Int64
        public var number: Int64

        public init(at: Int64, number: Int64) {
            self.at = at
            self.number = number
        }
    }

    public var place: Place
    /// A word of the bank's list of kinds.
    public var kind: String
    /// What it was about; masked, or left out, by whoever keeps it.
    public var summary: String

    public init(place: Place, kind: String, summary: String) {
        self.place = place
        self.kind = kind
        self.summary = summary
    }
}

/// What a customer's timeline needs of those who keep customers. Each checks the caller's rights itself.
public struct TimelineSources: Sendable {
    /// Numbers that a customer has now: what messages before it was known as one are found by.
    public var phones: @Sendable (_ customer: String, _ caller: Caller) async throws(DeskFault) -> [PhoneNumber]
    /// Newest first, below this place, at most so many.
    public var contacts:
        @Sendable (_ customer: String, _ below: TimelineContact.Place, _ limit: Int, _ caller: Caller) async throws(DeskFault) ->
            [TimelineContact]

    public init(
        phones: @escaping @Sendable (String, Caller) async throws(DeskFault) -> [PhoneNumber],
        contacts:
            @escaping @Sendable (String, TimelineContact.Place, Int, Caller) async throws(DeskFault) -> [TimelineContact]
    ) {
        self.phones = phones
        self.contacts = contacts
    }
}

/// Everything between the bank and one customer, newest first: messages out and in, by customer and by all numbers, and contacts made
/// elsewhere. A number that belonged to somebody else before shows that time's messages too, as any search by number does.
public struct Timeline: Sendable {
    let history: History
    let sources: TimelineSources

    public enum Entry: Equatable, Sendable {
        case message(HistoryItem)
        case contact(TimelineContact)

        /// In the order of ids; a contact comes behind the messages of its millisecond.
        var key: MessageID {
            switch self {
            case .message(let item): item.id
            case .contact(let contact):
                MessageID(high: MessageID.first(of: contact.place.at).high, low: UInt64(bitPattern: contact.place.number))
            }
        }
    }

    public struct Stretch: Sendable {
        public var entries: [Entry]
        /// Nil: that was all.
        public var next: Cursor?
        /// Wall milliseconds down to which everything was looked at.
        public var reached: Int64
    }

    /// Addresses of one customer that are looked for at most.
    static let mostAddresses = 16

    /// - Parameter wish: of it count the customer, the times and the page.
    /// - Throws: `.forbidden`, `.invalid`, `.store`, and what the sources throw.
    public func list(_ wish: HistoryWish, by caller: Caller) async throws(DeskFault) -> Stretch {
        try caller.require(.readHistory)
        guard let customer = wish.customer else { throw .invalid([FieldFault("customer", "required", "whose timeline?")]) }
        let end = MessageID.first(of: wish.to)
        var below = end
        if let cursor = wish.page.after {
            guard let place = MessageID(bytes: cursor.key) else {
                throw .invalid([FieldFault("cursor", "malformed", "it is not one of this list")])
            }
            below = min(end, place)
        }
        let phones = try await sources.phones(customer, caller)
        var wishes = [only(wish) { $0.customer = customer }]
        for phone in phones.prefix(Timeline.mostAddresses) { wishes.append(only(wish) { $0.phone = phone }) }
        let names = history.names()
        var searches: [HistorySearch] = []
        for wish in wishes { searches.append(try HistorySearch(wish, by: caller, history.keys, names, history.desk.damage)) }
        let all = searches
        let pages = try await history.desk.read(.readHistory, by: caller) { session in try all.map { try $0.run(session) } }
        // A contact's key has nothing but milliseconds in its higher half.
        let isContact = below.high & 0xFFFF == 0
        let place = TimelineContact.Place(at: below.milliseconds, number: isContact ? Int64(bitPattern: below.low) : .max)
        let contacts = try await sources.contacts(customer, place, wish.page.limit, caller)
        return Timeline.merged(pages, contacts, wish)
    }

    private func only(_ wish: HistoryWish, _ change: (inout HistoryWish) -> Void) -> HistoryWish {
        var one = HistoryWish(from: wish.from, to: wish.to, page: wish.page)
        change(&one)
        return one
    }

    /// Below the place where the first of the lists stops, nothing is known of the order.
    static func merged(_ pages: [HistoryPage], _ contacts: [TimelineContact], _ wish: HistoryWish) -> Stretch {
        var floor: MessageID?
        for page in pages {
            guard let place = page.next.flatMap({ MessageID(bytes: $0.key) }) else { continue }
            floor = max(floor ?? place, place)
        }
        if contacts.count >= wish.page.limit, let last = contacts.last {
            floor = max(floor ?? Entry.contact(last).key, Entry.contact(last).key)
        }
        var seen: Set<MessageID> = []
        // Of what several searches found, one may be able to say that it is the customer's.
        let items = pages.flatMap(\.items)
        let found = items.filter { !$0.isUnconfirmed } + items.filter(\.isUnconfirmed)
        var entries = found.filter { seen.insert($0.id).inserted }.map { Entry.message($0) }
        entries += contacts.filter { $0.place.at >= wish.from }.map { Entry.contact($0) }
        entries.sort { $0.key > $1.key }
        if let floor { entries.removeAll { $0.key < floor } }
        if entries.count > wish.page.limit {
            entries.removeLast(entries.count - wish.page.limit)
            floor = entries.last?.key
        }
        return Stretch(entries: entries, next: floor.map { Cursor(key: $0.bytes) }, reached: floor?.milliseconds ?? wish.from)
    }
}

extension History {
    public func timeline(_ sources: TimelineSources) -> Timeline { Timeline(history: self, sources: sources) }
}
