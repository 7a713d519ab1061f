/// A number as it will be shown: rounded, its digits before and behind the point apart.
struct ShownNumber {
    var negative: Bool
    let whole: UInt64
    let fraction: UInt64
    /// Digits that `fraction` has, zeros in front too.
    let fractionDigits: Int
    /// Zeros behind them, when more digits are wanted than the number has.
    let zeros: Int

    /// `coefficient` / 10 ^ `scale`, with `places` digits behind the point, halves to the even digit as banks and CLDR round; nil
    /// keeps the digits it has. `scale` is 0...18, `places` 0...18.
    init(_ coefficient: Int64, scale: Int, places: Int?) {
        negative = coefficient < 0
        var magnitude = coefficient.magnitude
        let shown = min(scale, places ?? scale)
        if shown < scale {
            let unit = tenTo(scale - shown)
            let rest = magnitude % unit
            magnitude /= unit
            let half = unit / 2
            if rest > half || (rest == half && !magnitude.isMultiple(of: 2)) { magnitude += 1 }
        }
        let unit = tenTo(shown)
        whole = magnitude / unit
        fraction = magnitude % unit
        fractionDigits = shown
        zeros = (places ?? shown) - shown
        // A little below nought that rounds to nought is written without a sign.
        if magnitude == 0 { negative = false }
    }

    /// A share as a percentage: 0.125 is 12.5. Nil when a hundred times the number is more than 64 bits hold.
    init?(hundredTimes coefficient: Int64, scale: Int, places: Int?) {
        if scale >= 2 {
            self.init(coefficient, scale: scale - 2, places: places)
        } else {
            let (product, overflow) = coefficient.multipliedReportingOverflow(by: scale == 0 ? 100 : 10)
            guard !overflow else { return nil }
            self.init(product, scale: 0, places: places)
        }
    }
}

extension Output {
    /// The digits as they are: no group marks, ASCII. What a number looks like without a filter.
    mutating func writePlain(_ value: Int64) {
        if value < 0 { write(0x2D) }
        write(digits: value.magnitude)
    }

    /// Digits, group marks, decimal sign; no sign of its own.
    mutating func write(_ number: ShownNumber, _ facts: NumberFacts, grouped: Bool = true) {
        if grouped, number.whole >= tenTo(2 + facts.groupedFrom) {
            write(grouped: number.whole, facts.group)
        } else {
            write(digits: number.whole)
        }
        guard number.fractionDigits + number.zeros > 0 else { return }
        write(facts.decimal)
        write(digits: number.fraction, width: number.fractionDigits)
        for _ in 0..<number.zeros { write(0x30) }
    }

    /// The same with the minus sign in front.
    mutating func writeSigned(_ number: ShownNumber, _ facts: NumberFacts, grouped: Bool = true) {
        if number.negative { write(facts.minus) }
        write(number, facts, grouped: grouped)
    }

    mutating func write(_ number: ShownNumber, percentOf locale: TextLocale) {
        let pattern = locale.percent
        write(pattern: number.negative ? pattern.beforeMinus : pattern.before, locale, nil, numberFollows: true)
        write(number, locale.numbers)
        write(pattern: number.negative ? pattern.afterMinus : pattern.after, locale, nil, numberFollows: false)
    }

    mutating func write(_ money: Money, _ style: MoneyStyle, _ locale: TextLocale) {
        let places = money.currency.digits
        let number = ShownNumber(money.minor, scale: places, places: places)
        switch style {
        case .plain: writeSigned(number, locale.numbers)
        case .symbol, .code:
            let pattern = locale.money
            let mark = CurrencyMark(currency: money.currency, symbol: style == .code ? nil : locale.symbol(of: money.currency))
            write(pattern: number.negative ? pattern.beforeMinus : pattern.before, locale, mark, numberFollows: true)
            write(number, locale.numbers)
            write(pattern: number.negative ? pattern.afterMinus : pattern.after, locale, mark, numberFollows: false)
        }
    }

    /// 1st, 2nd, 3rd, 4th, 11th: English only, which the compiler sees to.
    mutating func write(ordinal value: Int64) {
        writePlain(value)
        let last = value.magnitude % 10
        let teen = (11...13).contains(value.magnitude % 100)
        write(teen || last == 0 || last > 3 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : "rd")
    }

    func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }

    mutating func write(digits value: UInt64) { write(digits: value, width: digitCount(value)) }

    /// `width` digits, zeros in front where the number has fewer.
    mutating func write(digits value: UInt64, width: Int) {
        guard width > 0 else { return }
        guard width <= capacity - count else { return fail() }
        var rest = value
        for index in stride(from: width - 1, through: 0, by: -1) {
            base[count + index] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        grow(by: width)
    }

    private mutating func write(grouped value: UInt64, _ group: StaticString) {
        let length = digitCount(value)
        var unit = tenTo(length - 1)
        var rest = value
        for place in stride(from: length, to: 0, by: -1) {
            write(0x30 + UInt8(rest / unit))
            rest %= unit
            unit /= 10
            if place > 1, place % 3 == 1 { write(group) }
        }
    }

    /// A pattern's text with the locale's minus sign for `-` and the currency for `¤`. A currency that ends in a letter keeps away
    /// from a digit behind it (CLDR, "currencySpacing").
    private mutating func write(pattern: StaticString, _ locale: TextLocale, _ mark: CurrencyMark?, numberFollows: Bool) {
        let bytes = pattern.utf8Start
        let length = pattern.utf8CodeUnitCount
        var index = 0
        while index < length {
            if bytes[index] == 0x2D {
                write(locale.numbers.minus)
                index += 1
            } else if let mark, index + 1 < length, bytes[index] == 0xC2, bytes[index + 1] == 0xA4 {
                write(mark)
                index += 2
                if numberFollows, index == length, count > 0, isLetter(base[count - 1]) { write("\u{A0}") }
            } else {
                write(bytes[index])
                index += 1
            }
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte & 0xDF) }

    private mutating func write(_ mark: CurrencyMark) {
        if let symbol = mark.symbol { return write(symbol) }
        write(UInt8(mark.currency.packed >> 16 & 0xFF))
        write(UInt8(mark.currency.packed >> 8 & 0xFF))
        write(UInt8(mark.currency.packed & 0xFF))
    }
}

/// What stands for `¤`: a symbol, else the code.
private struct CurrencyMark {
    let currency: Currency
    let symbol: StaticString?
}
