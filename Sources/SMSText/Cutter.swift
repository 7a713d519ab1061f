/// Walks the UTF-8 of one text: counts, cuts, encodes. Valid only while the buffer is.
///
/// The octets come from a `String`, so they are valid UTF-8; still every read is bounded by `count`.
struct Cutter {
    let utf8: UnsafeBufferPointer<UInt8>
    let tables: GSM7.Tables

    /// - Parameter tables: of the alphabet, when its letters are septets.
    init(_ utf8: UnsafeBufferPointer<UInt8>, _ tables: GSM7.Tables = GSM7.standard) {
        self.utf8 = utf8
        self.tables = tables
    }

    enum Septets {
        case fits(Int)
        case forced(Unicode.Scalar)
    }

    /// Septets of the whole text, or the first letter that GSM 7-bit does not have.
    func septets() -> Septets {
        tables.codes.withUnsafeBufferPointer { codes in
            var septets = 0
            var at = 0
            while at < utf8.count {
                if plain(at) != nil {
                    septets &+= Self.lanes
                    at &+= Self.lanes
                    continue
                }
                let octet = utf8[at]
                if octet < 0x80 {
                    let code = codes[Int(octet)]
                    if code == GSM7.none { return .forced(Unicode.Scalar(octet)) }
                    septets &+= 1 &+ Int(code >> 7)
                    at &+= 1
                } else {
                    let letter = gsmLetter(at)
                    if letter.code == GSM7.none { return .forced(Unicode.Scalar(letter.scalar) ?? "\u{FFFD}") }
                    septets &+= letter.units
                    at &+= letter.octets
                }
            }
            return .fits(septets)
        }
    }

    /// UTF-16 units of the whole text: one for each scalar, two for those of four octets.
    func utf16Units() -> Int {
        var units = 0
        for octet in utf8 {
            units &+= (octet & 0xC0 != 0x80 ? 1 : 0) &+ (octet >= 0xF0 ? 1 : 0)
        }
        return units
    }

    /// Octets of the whole text in an alphabet of one octet a letter, or nil when it lacks one.
    private func octets(_ alphabet: Alphabet) -> Int? {
        var octets = 0
        var at = 0
        while at < utf8.count {
            let letter = octetLetter(at, alphabet)
            if !letter.known { return nil }
            octets += letter.units
            at += letter.octets
        }
        return octets
    }

    /// Units of the whole text in an alphabet whose tables this cutter has, or nil when it lacks a letter.
    func units(_ alphabet: Alphabet) -> Int? {
        switch alphabet.form {
        case .septets, .ascii:
            guard case .fits(let septets) = septets(), alphabet != .ascii || isASCII else { return nil }
            return septets
        case .octets: return alphabet == .binary ? nil : octets(alphabet)
        case .utf16: return utf16Units()
        }
    }

    /// Parts on the air of a text of so many units.
    func parts(_ alphabet: Alphabet, units: Int, _ concatenation: Concatenation) -> Int {
        guard units > alphabet.unitsMax else { return 1 }
        let limit = concatenation.unitsMax(of: alphabet)
        var parts = 1
        var end = partEnd(from: 0, limit: limit, alphabet)
        while end < utf8.count {
            parts += 1
            end = partEnd(from: end, limit: limit, alphabet)
        }
        return parts
    }

    private var isASCII: Bool { utf8.allSatisfy { $0 < 0x80 } }

    // MARK: - Cutting

    /// End of the part that starts at `start`: as far as `limit` units go without cutting an escape, a surrogate pair
    /// or (unless it alone is longer than the part) a grapheme cluster.
    func partEnd(from start: Int, limit: Int, _ alphabet: Alphabet) -> Int {
        switch alphabet.form {
        case .septets, .ascii: gsmPartEnd(from: start, limit: limit)
        case .octets: octetPartEnd(from: start, limit: limit, alphabet)
        case .utf16: ucs2PartEnd(from: start, limit: limit)
        }
    }

    private func gsmPartEnd(from start: Int, limit: Int) -> Int {
        var units = 0
        var at = start
        while at < utf8.count {
            if units + Self.lanes <= limit, plain(at) != nil {
                units += Self.lanes
                at += Self.lanes
                continue
            }
            let letter = gsmLetter(at)
            if units + letter.units > limit { break }
            units += letter.units
            at += letter.octets
        }
        return wholeCluster(start, at)
    }

    private func octetPartEnd(from start: Int, limit: Int, _ alphabet: Alphabet) -> Int {
        var units = 0
        var at = start
        while at < utf8.count {
            let letter = octetLetter(at, alphabet)
            if units + letter.units > limit { break }
            units += letter.units
            at += letter.octets
        }
        return wholeCluster(start, at)
    }

    /// The only clusters of two letters in alphabets without marks: a line end, and an ASCII letter with the mark that is written
    /// together with it (which may cost a unit of its own: an escape).
    private func wholeCluster(_ start: Int, _ at: Int) -> Int {
        guard at < utf8.count, at - 1 > start else { return at }
        if utf8[at] == 0x0A, utf8[at - 1] == 0x0D { return at - 1 }
        if utf8[at] == 0xCC || utf8[at] == 0xCD, utf8[at - 1] < 0x80, (0x300..<0x370).contains(scalar(at).scalar) { return at - 1 }
        return at
    }

    private func ucs2PartEnd(from start: Int, limit: Int) -> Int {
        var units = 0
        var at = start
        var previous = UInt32(0)
        while at < utf8.count {
            let (scalar, octets) = scalar(at)
            let width = scalar > 0xFFFF ? 2 : 1
            if units + width > limit {
                if Self.standsAlone(previous), Self.standsAlone(scalar), !(previous == 0x0D && scalar == 0x0A) { return at }
                return clusterStart(from: start, notAfter: at, seeing: at + octets)
            }
            units += width
            at += octets
            previous = scalar
        }
        return at
    }

    /// Two neighbours of these rows (Latin, Greek, Cyrillic, kana, Han) never belong to one cluster, CR LF aside.
    /// Only a short cut: about all others the standard library is asked.
    private static func standsAlone(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0..<0x300, 0x370...0x482, 0x48A...0x52F, 0x3041...0x3096, 0x30A1...0x30FA, 0x4E00...0x9FFF: true
        default: false
        }
    }

    /// The last border between grapheme clusters in `start < x <= cut`; `cut` itself when there is none, because one
    /// cluster fills the part. Looks at one part at most: borders depend on what stands before and on one scalar after.
    private func clusterStart(from start: Int, notAfter cut: Int, seeing end: Int) -> Int {
        let part = String(decoding: UnsafeBufferPointer(rebasing: utf8[start..<min(end, utf8.count)]), as: UTF8.self)
        var border = start
        for cluster in part {
            let next = border + cluster.utf8.count
            if next > cut { break }
            border = next
        }
        return border > start ? border : cut
    }

    // MARK: - Encoding

    /// Writes the text of one part behind what is there; returns the new end. The room is the caller's promise:
    /// `SMSText.partOctetsMax` holds every part that `partEnd` can cut.
    func encode(_ range: Range<Int>, _ alphabet: Alphabet, to out: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        switch alphabet.form {
        case .septets: encodeSeptets(range, to: out, at: start)
        case .ascii: encodeASCII(range, to: out, at: start)
        case .octets: encodeOctets(range, alphabet, to: out, at: start)
        case .utf16: encodeUTF16(range, to: out, at: start)
        }
    }

    private func encodeSeptets(_ range: Range<Int>, to out: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var end = start
        var at = range.lowerBound
        while at < range.upperBound {
            if at + Self.lanes <= range.upperBound, let letters = plain(at), Self.sameInASCII(letters) {
                UnsafeMutableRawPointer(out.baseAddress.unsafelyUnwrapped + end).storeBytes(of: letters, as: UInt64.self)
                end += Self.lanes
                at += Self.lanes
                continue
            }
            let letter = gsmLetter(at)
            if letter.units == 0 {
                // A combining mark: it changes the letter just written.
                out[end - 1] = letter.code
            } else if letter.code == GSM7.none {
                // Only with a plan of another text.
                out[end] = 0x3F
                end += 1
            } else if letter.code & GSM7.extended != 0 {
                // A mark that makes an extended letter: the escape goes where its base letter stood.
                if letter.units == 1 { end -= 1 }
                out[end] = GSM7.escape
                out[end + 1] = letter.code & 0x7F
                end += 2
            } else {
                out[end] = letter.code
                end += 1
            }
            at += letter.octets
        }
        return end
    }

    private func encodeASCII(_ range: Range<Int>, to out: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var end = start
        var at = range.lowerBound
        while at < range.upperBound {
            let letter = gsmLetter(at)
            // Only with a plan of another text: marks that cost nothing write nothing, so that the room suffices.
            if letter.units > 0 {
                out[end] = letter.octets == 1 ? utf8[at] : 0x3F
                end += 1
            }
            at += letter.octets
        }
        return end
    }

    private func encodeOctets(
        _ range: Range<Int>, _ alphabet: Alphabet, to out: UnsafeMutableBufferPointer<UInt8>, at start: Int
    ) -> Int {
        var end = start
        var at = range.lowerBound
        while at < range.upperBound {
            let letter = octetLetter(at, alphabet)
            if letter.units == 0 { end -= 1 }
            out[end] = letter.known ? letter.code : 0x3F
            end += 1
            at += letter.octets
        }
        return end
    }

    private func encodeUTF16(_ range: Range<Int>, to out: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var end = start
        var at = range.lowerBound
        while at < range.upperBound {
            let (scalar, octets) = scalar(at)
            if scalar > 0xFFFF {
                let offset = scalar - 0x1_0000
                end = Self.put(UInt16(0xD800 + offset >> 10), to: out, at: end)
                end = Self.put(UInt16(0xDC00 + offset & 0x3FF), to: out, at: end)
            } else {
                end = Self.put(UInt16(scalar), to: out, at: end)
            }
            at += octets
        }
        return end
    }

    private static func put(_ unit: UInt16, to out: UnsafeMutableBufferPointer<UInt8>, at: Int) -> Int {
        out[at] = UInt8(unit >> 8)
        out[at + 1] = UInt8(truncatingIfNeeded: unit)
        return at + 2
    }

    // MARK: - Letters

    /// Octets looked at in one go.
    private static let lanes = 8

    /// `octet` in every lane.
    @inline(__always)
    private static func each(_ octet: UInt64) -> UInt64 { octet &* 0x0101_0101_0101_0101 }

    /// The next 8 octets when all of them are ASCII letters of one septet each: space to Z, a to z. Nil otherwise and near
    /// the end; then they are looked at one by one.
    @inline(__always)
    private func plain(_ at: Int) -> UInt64? {
        guard at + Self.lanes <= utf8.count else { return nil }
        // `at` and the 7 octets behind it are inside the buffer, which therefore has an address.
        let octets = UnsafeRawPointer(utf8.baseAddress.unsafelyUnwrapped + at).loadUnaligned(as: UInt64.self)
        let top = Self.each(0x80)
        guard octets & top == 0 else { return nil }
        // With the top bits clear, adding 0x80 - n sets the top bit of exactly the lanes that are n or more; none overflows.
        let upper = (octets &+ Self.each(0x80 - 0x20)) & ~(octets &+ Self.each(0x80 - 0x5B))
        let lower = (octets &+ Self.each(0x80 - 0x61)) & ~(octets &+ Self.each(0x80 - 0x7B))
        return (upper | lower) & top == top ? octets : nil
    }

    /// Whether no lane of `plain` letters is a dollar or an at sign, the two that GSM 7-bit has elsewhere than ASCII.
    @inline(__always)
    private static func sameInASCII(_ letters: UInt64) -> Bool {
        let dollar = (letters ^ each(0x24)) &+ each(0x7F)
        let at = (letters ^ each(0x40)) &+ each(0x7F)
        return dollar & at & each(0x80) == each(0x80)
    }

    struct Letter {
        var scalar: UInt32
        /// As in `GSM7.Tables.codes`.
        var code: UInt8
        /// 1, or 2 for the extension table; of a mark that is written together with the letter before it 0, or 1 where that makes an
        /// extended letter.
        var units: Int
        var octets: Int
    }

    /// A letter of ISO 8859-1 or -5.
    struct OctetLetter {
        var code: UInt8
        /// 1, 0 for a mark that is written together with the letter before it.
        var units: Int
        var octets: Int
        var known: Bool
    }

    @inline(__always)
    func octetLetter(_ at: Int, _ alphabet: Alphabet) -> OctetLetter {
        let (scalar, octets) = scalar(at)
        if let code = OctetAlphabet.octet(scalar, alphabet) { return OctetLetter(code: code, units: 1, octets: octets, known: true) }
        if scalar >= 0x300, scalar < 0x370, at > 0, let code = OctetAlphabet.composition(utf8[at - 1], scalar, alphabet) {
            return OctetLetter(code: code, units: 0, octets: octets, known: true)
        }
        return OctetLetter(code: 0, units: 1, octets: octets, known: false)
    }

    /// Whether `alphabet`, whose tables this cutter has, lacks the letter at `at`; the letter and its octets.
    func lacks(_ at: Int, _ alphabet: Alphabet) -> (lacks: Bool, scalar: Unicode.Scalar, octets: Int) {
        let (value, octets) = scalar(at)
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        let lacks: Bool
        switch alphabet.form {
        case .septets: lacks = gsmLetter(at).code == GSM7.none
        case .ascii: lacks = octets > 1 || gsmLetter(at).code == GSM7.none
        case .octets: lacks = !octetLetter(at, alphabet).known
        case .utf16: lacks = false
        }
        return (lacks, scalar, octets)
    }

    /// The letter at `at` as GSM 7-bit sees it. A combining mark counts 0 when it and the ASCII letter right before it are one letter.
    @inline(__always)
    func gsmLetter(_ at: Int) -> Letter {
        let octet = utf8[at]
        if octet < 0x80 {
            let code = tables.codes[Int(octet)]
            return Letter(scalar: UInt32(octet), code: code, units: code == GSM7.none ? 1 : 1 + Int(code >> 7), octets: 1)
        }
        return gsmLetterBeyondASCII(at)
    }

    private func gsmLetterBeyondASCII(_ at: Int) -> Letter {
        let (scalar, octets) = scalar(at)
        if scalar >= 0x300, scalar < 0x370 {
            let letter = at > 0 ? GSM7.composedLetter(utf8[at - 1], scalar) : nil
            let code = letter.map { tables.codes[Int($0.value)] } ?? GSM7.none
            return Letter(scalar: scalar, code: code, units: code == GSM7.none ? 1 : Int(code >> 7), octets: octets)
        }
        let code = scalar < 0x400 ? tables.codes[Int(scalar)] : tables.high(scalar)
        return Letter(scalar: scalar, code: code, units: code == GSM7.none ? 1 : 1 + Int(code >> 7), octets: octets)
    }

    /// The scalar at `at`, which must be the start of one, and its octets.
    @inline(__always)
    func scalar(_ at: Int) -> (scalar: UInt32, octets: Int) {
        let first = UInt32(utf8[at])
        if first < 0x80 { return (first, 1) }
        if first < 0xE0 { return ((first & 0x1F) << 6 | continuation(at + 1), 2) }
        if first < 0xF0 { return ((first & 0x0F) << 12 | continuation(at + 1) << 6 | continuation(at + 2), 3) }
        return ((first & 0x07) << 18 | continuation(at + 1) << 12 | continuation(at + 2) << 6 | continuation(at + 3), 4)
    }

    @inline(__always)
    private func continuation(_ at: Int) -> UInt32 { UInt32(utf8[at] & 0x3F) }
}
