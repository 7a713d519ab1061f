import Calendar
import MartletModel
import Templates

/// What the texts of one event are filled with: its parameters by name, in its order, and behind them the customer. Made once a release; a
/// rendering takes a copy and puts its values in.
struct WordingFields: Sendable {
    /// Of the record, in its order: a template that is compiled for them finds each value at its place.
    let names: [String]
    private let types: [ParameterType]
    /// Holds what an event may leave out.
    private let assumed: Templates.Record
    /// Moments among that, which are written by each customer's clocks.
    private let moments: [(place: Int, value: ParameterValue)]

    static let givenName = "givenName"
    static let familyName = "familyName"

    init(_ event: EventDefinition) {
        types = event.parameters.map(\.type)
        names = event.parameters.map(\.name) + [EventParameter.customer]
        var record = Templates.Record()
        var moments: [(place: Int, value: ParameterValue)] = []
        for (place, parameter) in event.parameters.enumerated() {
            record.add(parameter.name, parameter.assumed.map { WordingFields.value($0, .utc) } ?? .missing)
            if parameter.type == .instant, let value = parameter.assumed { moments.append((place, value)) }
        }
        record.add(EventParameter.customer, .missing)
        (assumed, self.moments) = (record, moments)
    }

    /// The values of one event for one customer. A value that the definition does not have, or has with another type by now, is left out.
    /// - Parameter details: nil where the text says nothing of the customer.
    func record(_ values: [EventPayload.NamedValue], _ details: CustomerDetails?, _ zone: Zone) -> Templates.Record {
        var record = assumed
        for (place, value) in moments { record.set(place, WordingFields.value(value, zone)) }
        var place = 0
        for one in values {
            let name = one.name
            // They come in the definition's order, as a rule.
            if place >= types.count || names[place] != name {
                guard let found = names.prefix(types.count).firstIndex(of: name) else { continue }
                place = found
            }
            if one.value.type == types[place] { record.set(place, WordingFields.value(one.value, zone)) }
            place += 1
        }
        if let details { record.set(types.count, WordingFields.customer(details)) }
        return record
    }

    /// A name that is not known is missing, so that a text can say something else.
    private static func customer(_ details: CustomerDetails) -> Templates.Value {
        func name(_ text: String) -> Templates.Value { text.isEmpty ? .missing : .text(text) }
        return .record(Templates.Record([(givenName, name(details.givenName)), (familyName, name(details.familyName))]))
    }

    /// Money keeps its smallest unit, days their day; a moment is what the customer's clocks show.
    static func value(_ value: ParameterValue, _ zone: Zone) -> Templates.Value {
        switch value {
        case .text(let text): return .text(text)
        case .integer(let number): return .integer(number)
        case .decimal(let decimal):
            return Templates.ExactDecimal(decimal.unscaled, scale: Int(decimal.scale)).map { .decimal($0) } ?? .missing
        case .money(let money):
            guard Int(money.currency) < currencies.count, let currency = currencies[Int(money.currency)] else { return .missing }
            return .money(Templates.Money(minor: money.minor, currency))
        case .date(let day):
            let (year, month, day) = CivilDay(day).date
            return Templates.CalendarDate(year: year, month: month, day: day).map { .date($0) } ?? .missing
        case .time(let second):
            let time = Templates.ClockTime(hour: Int(second) / 3600, minute: Int(second) / 60 % 60, second: Int(second) % 60)
            return time.map { .time($0) } ?? .missing
        case .instant(let microseconds, _):
            let seconds = microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
            return .moment(Templates.LocalMoment(seconds: seconds, offset: zone.offset(at: seconds)))
        case .boolean(let flag): return .boolean(flag)
        }
    }

    /// By ISO 4217 number, which is what values have; texts are written by the letters.
    private static let currencies: [Templates.Currency?] = {
        var table = [Templates.Currency?](repeating: nil, count: 1000)
        for currency in MartletModel.Currency.all where Int(currency.number) < table.count {
            table[Int(currency.number)] = Templates.Currency(currency.code)
        }
        return table
    }()
}

// What compiling looks at before there are values.

extension WordingFields {
    /// What the values will look like. Of a text its bytes are known, which are not fewer than its letters.
    static func shape(_ event: EventDefinition) -> Shape {
        var fields = event.parameters.map { parameter in
            let shape: Shape =
                switch parameter.type {
                case .text: .text(letters: parameter.maximumBytes)
                case .integer: .integer()
                case .decimal: .decimal()
                case .money: .money()
                case .date: .date
                case .time: .time
                case .instant: .moment
                case .boolean: .boolean
                }
            return Shape.Field(parameter.name, shape)
        }
        let name = Shape.text(letters: nameBytes).orMissing
        fields.append(Shape.Field(EventParameter.customer, .record([.init(givenName, name), .init(familyName, name)])))
        return .record(fields)
    }

    static let customerNames = [givenName, familyName]
    /// Of one name of a customer, at most.
    static let nameBytes = 256

    /// The longest values that there can be; of numbers those that a bank may have to write. One Cyrillic letter makes a text that costs two
    /// octets a letter, and the others cost least to say.
    static func longest(_ event: EventDefinition, flags: Bool) -> [EventPayload.NamedValue] {
        event.parameters.map { parameter in
            let value: ParameterValue =
                switch parameter.type {
                case .text: .text(long(parameter.maximumBytes))
                case .integer: .integer(-9_999_999_999)
                case .decimal: .decimal(MartletModel.ExactDecimal(unscaled: -999_999_999_999, scale: 4))
                // 999,999,999,999.99, in a currency whose sign no short alphabet has.
                case .money: .money(MartletModel.Money(minor: -99_999_999_999_999, currency: 980))
                // A Wednesday of September 2026, two digits everywhere.
                case .date: .date(20_719)
                case .time: .time(81_884)
                case .instant: .instant(1_790_203_484_000_000, offset: 0)
                case .boolean: .boolean(flags)
                }
            return EventPayload.NamedValue(parameter.name, value)
        }
    }

    /// The shortest: no text at all, one digit.
    static func shortest(_ event: EventDefinition, flags: Bool) -> [EventPayload.NamedValue] {
        event.parameters.map { parameter in
            let value: ParameterValue =
                switch parameter.type {
                case .text: .text("")
                case .integer: .integer(1)
                case .decimal: .decimal(MartletModel.ExactDecimal(unscaled: 1, scale: 0))
                case .money: .money(MartletModel.Money(minor: 100, currency: 978))
                case .date: .date(20_577)
                case .time: .time(3_660)
                case .instant: .instant(1_777_856_460_000_000, offset: 0)
                case .boolean: .boolean(flags)
                }
            return EventPayload.NamedValue(parameter.name, value)
        }
    }

    static let longestName = CustomerDetails(givenName: long(nameBytes), familyName: long(nameBytes))

    private static func long(_ bytes: Int) -> String {
        bytes < 2 ? String(repeating: "W", count: bytes) : "Ж" + String(repeating: "W", count: bytes - 2)
    }
}
