/// A currency by its ISO 4217 number, and the digits of its smallest unit.
public struct Currency: Hashable, Sendable {
    public let code: String
    public let number: UInt16
    /// Digits behind the point: 2 for most, 0 for the yen, 3 for the Kuwaiti dinar.
    public let digits: UInt8

    /// Asked for each amount that comes in, so it does not walk the list.
    public static func of(code: some StringProtocol) -> Currency? { byCode[String(code)] }
    private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })
    public static func of(number: UInt16) -> Currency? { all.first { $0.number == number } }

    private init(_ code: String, _ number: UInt16, _ digits: UInt8 = 2) {
        self.code = code
        self.number = number
        self.digits = digits
    }

    /// Those that banks of Europe, the Caucasus and Central Asia, and their customers abroad, have accounts and payments in (ISO 4217, list one).
    public static let all: [Currency] = [
        Currency("AED", 784), Currency("AMD", 51), Currency("AUD", 36), Currency("AZN", 944), Currency("BAM", 977), Currency("BGN", 975),
        Currency("BHD", 48, 3), Currency("BRL", 986), Currency("BYN", 933), Currency("CAD", 124), Currency("CHF", 756),
        Currency("CLP", 152, 0),
        Currency("CNY", 156), Currency("CZK", 203), Currency("DKK", 208), Currency("DZD", 12), Currency("EGP", 818), Currency("EUR", 978),
        Currency("GBP", 826), Currency("GEL", 981), Currency("HKD", 344), Currency("HUF", 348), Currency("IDR", 360), Currency("ILS", 376),
        Currency("INR", 356), Currency("IQD", 368, 3), Currency("ISK", 352, 0), Currency("JOD", 400, 3), Currency("JPY", 392, 0),
        Currency("KGS", 417), Currency("KRW", 410, 0), Currency("KWD", 414, 3), Currency("KZT", 398), Currency("MAD", 504),
        Currency("MDL", 498),
        Currency("MKD", 807), Currency("MXN", 484), Currency("MYR", 458), Currency("NOK", 578), Currency("NZD", 554),
        Currency("OMR", 512, 3),
        Currency("PHP", 608), Currency("PLN", 985), Currency("QAR", 634), Currency("RON", 946), Currency("RSD", 941), Currency("RUB", 643),
        Currency("SAR", 682), Currency("SEK", 752), Currency("SGD", 702), Currency("THB", 764), Currency("TJS", 972), Currency("TMT", 934),
        Currency("TND", 788, 3), Currency("TRY", 949), Currency("UAH", 980), Currency("USD", 840), Currency("UZS", 860),
        Currency("VND", 704, 0),
        Currency("ZAR", 710),
    ]
}

/// An amount in a currency's smallest unit.
public struct Money: Hashable, Sendable {
    public var minor: Int64
    /// ISO 4217: 980 is the hryvnia.
    public var currency: UInt16

    public init(minor: Int64, currency: UInt16) {
        self.minor = minor
        self.currency = currency
    }
}

/// A fraction as it was written: `unscaled` / 10^`scale`, scale 0...18.
public struct ExactDecimal: Hashable, Sendable {
    public var unscaled: Int64
    public var scale: UInt8

    public init(unscaled: Int64, scale: UInt8) {
        self.unscaled = unscaled
        self.scale = scale
    }

    /// `-12.50`: a sign, 1...18 digits, a point among them; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var value: Int64 = 0
        var digits = 0
        var scale: UInt8?
        var isNegative = false
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where index == 0: isNegative = true
            case UInt8(ascii: ".") where scale == nil && digits > 0: scale = 0
            case 48...57:
                value = value * 10 + Int64(byte - 48)
                digits += 1
                if let known = scale { scale = known + 1 }
                guard digits <= 18 else { return nil }
            default: return nil
            }
        }
        guard digits > 0, scale != 0 else { return nil }
        self.init(unscaled: isNegative ? -value : value, scale: scale ?? 0)
    }

    /// With so many digits behind the point; nil: digits would be lost, or it is too large.
    public func minor(digits: UInt8) -> Int64? {
        var value = unscaled
        var scale = scale
        while scale > digits {
            guard value % 10 == 0 else { return nil }
            value /= 10
            scale -= 1
        }
        while scale < digits {
            let (next, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            guard !isTooLarge else { return nil }
            value = next
            scale += 1
        }
        return value
    }
}

extension Money {
    enum Fault: Error, Equatable {
        case notAnObject, unknownField, amount, currency, digits
        var message: String {
            switch self {
            case .notAnObject: "it is no amount in a currency"
            case .unknownField: "an amount has no other fields"
            case .amount: "amount is no decimal number in quotes"
            case .currency: "currency is none that is known here"
            case .digits: "amount has more digits behind the point than its currency"
            }
        }
    }

    /// `{"amount": "125.50", "currency": "UAH"}`.
    init(_ value: JSONValue) throws(Fault) {
        guard case .object(let fields) = value else { throw .notAnObject }
        guard fields.keys.allSatisfy({ $0 == "amount" || $0 == "currency" }) else { throw .unknownField }
        guard case .text(let amount)? = fields["amount"], let decimal = ExactDecimal(amount) else { throw .amount }
        guard case .text(let code)? = fields["currency"], let currency = Currency.of(code: code) else { throw .currency }
        guard let minor = decimal.minor(digits: currency.digits) else { throw .digits }
        self.init(minor: minor, currency: currency.number)
    }
}
