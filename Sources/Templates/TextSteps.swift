/// What a filter does to a text that already stands in the output, before it is escaped.
enum TextStep {
    case upper, lower, upperFirst, lowerFirst
    /// At most so many letters, dots among them when something was cut and they fit.
    case truncate(letters: Int)
    case mask(MaskStyle)
}

/// Which part of a number stays readable. At most half of its digits are ever shown.
enum MaskStyle: String, CaseIterable {
    /// `*1234`
    case card
    /// `+********4567`
    case phone
    /// `UA*0007`
    case account
    /// `1234`
    case last
}

/// How money names its currency.
enum MoneyStyle: String, CaseIterable {
    /// 10,50 € where the locale has a sign for it, else 10,50 UAH.
    case symbol
    case code
    /// The amount alone.
    case plain
}

extension Output {
    mutating func apply(_ step: TextStep, from start: Int, _ turkic: Bool) {
        switch step {
        case .upper: change(from: start, first: false, turkic: turkic, upper: true)
        case .lower: change(from: start, first: false, turkic: turkic, upper: false)
        case .upperFirst: change(from: start, first: true, turkic: turkic, upper: true)
        case .lowerFirst: change(from: start, first: true, turkic: turkic, upper: false)
        case .truncate(let letters): truncate(from: start, letters: letters)
        case .mask(let style): mask(from: start, style)
        }
    }

    /// The scalar at `place` of what was written, which is UTF-8 throughout, and its length in bytes.
    func scalar(at place: Int) -> (Unicode.Scalar, Int) {
        let lead = UInt32(base[place])
        guard lead >= 0xC0 else { return (Unicode.Scalar(UInt8(lead)), 1) }
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard place + length <= count else { return ("\u{FFFD}", count - place) }
        var value = lead & (0xFF >> UInt32(length + 1))
        for index in 1..<length { value = value << 6 | UInt32(base[place + index] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    private mutating func change(from start: Int, first: Bool, turkic: Bool, upper: Bool) {
        var place = start
        while place < count, !overflowed {
            let (scalar, length) = scalar(at: place)
            let letters = Self.mapped(scalar, upper: upper, title: first, turkic: turkic)
            guard let letters else {
                if first { return }
                place += length
                continue
            }
            replace(place..<(place + length), with: letters)
            if first { return }
            place += letters.count
        }
    }

    /// Nil when the letter stays what it is. In Turkish and Azerbaijani `i` and `ı` are two letters (Unicode, SpecialCasing).
    private static func mapped(_ scalar: Unicode.Scalar, upper: Bool, title: Bool, turkic: Bool) -> Letters? {
        if turkic {
            switch (scalar, upper) {
            case ("i", true): return Letters(literal: "İ")
            case ("I", false): return Letters(literal: "ı")
            case ("İ", false): return Letters(literal: "i")
            default: break
            }
        }
        if scalar.isASCII {
            let range: ClosedRange<UInt32> = upper ? 0x61...0x7A : 0x41...0x5A
            guard range.contains(scalar.value) else { return nil }
            var letters = Letters()
            letters.append(UInt8(scalar.value ^ 0x20))
            return letters
        }
        let properties = scalar.properties
        return Letters(upper ? (title ? properties.titlecaseMapping : properties.uppercaseMapping) : properties.lowercaseMapping)
    }

    /// Where the letter behind `place` begins. A letter takes its accents, variation selectors and what is joined to it along, and flags
    /// their two halves: near enough to what people count, without the tables of Unicode's segmentation.
    func nextLetter(after place: Int) -> Int {
        var (scalar, length) = scalar(at: place)
        var next = place + length
        var flag = Self.isFlagHalf(scalar)
        while next < count {
            let joined = scalar == "\u{200D}"
            (scalar, length) = self.scalar(at: next)
            let secondHalf = flag && Self.isFlagHalf(scalar)
            guard joined || secondHalf || scalar == "\u{200D}" || Self.extends(scalar) else { return next }
            if secondHalf { flag = false }
            next += length
        }
        return next
    }

    private static func isFlagHalf(_ scalar: Unicode.Scalar) -> Bool { (0x1F1E6...0x1F1FF).contains(scalar.value) }

    private static func extends(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x300 else { return false }
        return scalar.properties.isGraphemeExtend || (0x1F3FB...0x1F3FF).contains(scalar.value)
    }

    private mutating func truncate(from start: Int, letters: Int) {
        // Dots take three of the letters; where there is hardly room for more than them, they are left out.
        let dots = letters > 6 ? 3 : 0
        var place = start
        var kept = start
        var counted = 0
        while place < count {
            if counted == letters - dots { kept = place }
            guard counted < letters else {
                cut(to: kept)
                // No blank before the dots.
                while count > start, base[count - 1] == 0x20 { cut(to: count - 1) }
                for _ in 0..<dots { write(0x2E) }
                return
            }
            place = nextLetter(after: place)
            counted += 1
        }
    }

    private mutating func mask(from start: Int, _ style: MaskStyle) {
        guard count > start else { return }
        var total = 0
        for index in start..<count where Self.counts(base[index], style) { total += 1 }
        let shown = min(4, total / 2)
        if style == .phone { return maskPhone(from: start, hidden: total - shown) }
        var result = Letters()
        if style == .account, count - start > 8 {
            for index in start..<(start + 2) where (0x41...0x5A).contains(base[index] & 0xDF) && base[index] < 0x80 {
                result.append(base[index])
            }
        }
        if style != .last { result.append(0x2A) }
        var seen = 0
        for index in start..<count where Self.counts(base[index], style) {
            seen += 1
            if seen > total - shown { result.append(base[index]) }
        }
        cut(to: start)
        for index in 0..<result.count { write(result[index]) }
    }

    /// Digits, and in accounts letters too.
    private static func counts(_ byte: UInt8, _ style: MaskStyle) -> Bool {
        (0x30...0x39).contains(byte) || (style == .account && byte < 0x80 && (0x41...0x5A).contains(byte & 0xDF))
    }

    /// A leading plus stays, digits become stars but for the last, and everything else between them goes.
    private mutating func maskPhone(from start: Int, hidden: Int) {
        var to = start
        var seen = 0
        for index in start..<count {
            let byte = base[index]
            if (0x30...0x39).contains(byte) {
                seen += 1
                base[to] = seen <= hidden ? 0x2A : byte
                to += 1
            } else if byte == 0x2B, to == start {
                base[to] = byte
                to += 1
            }
        }
        cut(to: to)
    }
}
