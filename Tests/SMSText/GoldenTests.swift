import SMSText
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// One row of `Tests/Golden/sms-texts.tsv`.
struct GoldenText: Sendable, CustomTestStringConvertible {
    let claim: String
    let text: String
    let options: TextOptions
    let reference: UInt16
    let alphabet: Alphabet
    let units: Int
    let parts: Int
    /// Of each submit.
    let octets: [[UInt8]]
    var testDescription: String { claim }
    var concatenation: Concatenation { options.concatenation }

    static let alphabets = Dictionary(uniqueKeysWithValues: Alphabet.allCases.map { ("\($0)", $0) })
    static let concatenations = Dictionary(uniqueKeysWithValues: Concatenation.allCases.map { ("\($0)", $0) })

    static let path = "\(#filePath)".split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Golden/sms-texts.tsv"

    static let lines = read(path).split(separator: "\n").filter { !$0.hasPrefix("#") }
    static let all = lines.compactMap(GoldenText.init(line:))

    init?(line: Substring) {
        let column = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard column.count == 8 || column.count == 9, let reference = UInt16(column[3], radix: 16), let units = Int(column[5]),
            let parts = Int(column[6]), let concatenation = Self.concatenations[String(column[2])],
            let alphabet = Self.alphabets[String(column[4])]
        else {
            return nil
        }
        let allowed = (column.count == 9 ? column[8] : "gsm7,ucs2").split(separator: ",").map { Self.alphabets[String($0)] }
        guard !allowed.contains(nil) else { return nil }
        claim = String(column[0])
        text = Self.unescaped(column[1])
        options = TextOptions(alphabets: allowed.compactMap(\.self), concatenation: concatenation)
        self.reference = reference
        self.alphabet = alphabet
        self.units = units
        self.parts = parts
        octets = column[7].split(separator: ",").map { $0 == "-" ? [] : Self.octets($0) }
    }

    static func octets(_ hex: Substring) -> [UInt8] {
        let digits = hex.utf8.map { UInt8($0 > 0x40 ? $0 - 0x57 : $0 - 0x30) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    static func unescaped(_ text: Substring) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let kind = rest.popFirst() else {
                result.append(scalar)
                continue
            }
            if kind == "u", let close = rest.firstIndex(of: "}") {
                let hex = String(rest[..<close].dropFirst())
                result.append(UInt32(hex, radix: 16).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}")
                rest = rest[close...].dropFirst()
            } else {
                result.append(kind)
            }
        }
        return String(result)
    }

    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { octets += chunk[..<count] }
        return String(decoding: octets, as: UTF8.self)
    }
}

@Suite("Golden texts")
struct GoldenTests {
    @Test("The golden file is there, every line is read, and it has at least 200 texts")
    func present() {
        #expect(GoldenText.all.count == GoldenText.lines.count)
        #expect(GoldenText.all.count >= 200, "\(GoldenText.path)")
    }

    @Test("A text is planned and encoded as the golden file says", arguments: GoldenText.all)
    func encodes(_ row: GoldenText) throws {
        let plan = try SMSText.plan(row.text, options: row.options)
        if row.options.alphabets == [.gsm7, .ucs2] { #expect(plan == SMSText.plan(row.text, concatenation: row.concatenation)) }
        #expect(plan.alphabet == row.alphabet)
        #expect(plan.units == row.units)
        #expect(plan.parts == row.parts)
        #expect(plan.concatenation == row.concatenation)
        #expect(plan.submits == row.octets.count)
        #expect(plan.needsSegmentTLVs == (row.parts > 1 && row.concatenation == .sar))
        if row.options.alphabets == [.gsm7, .ucs2] {
            #expect(plan.hasHeader == (row.parts > 1 && row.concatenation.headerOctets > 0))
            #expect((plan.firstForcing == nil) == (row.alphabet == .gsm7))
        }

        var all: [[UInt8]] = []
        try SMSText.forEachPart(row.text, plan: plan, reference: row.reference) { part, octets in
            #expect(part == all.count)
            all.append([UInt8](octets))
        }
        #expect(all == row.octets)
        for part in 0..<plan.submits {
            var octets: [UInt8] = []
            try SMSText.encode(row.text, plan: plan, reference: row.reference, part: part, into: &octets)
            #expect(octets == row.octets[part])
        }
    }

    @Test("The parts of a golden text, their headers read and taken off, are the text again", arguments: GoldenText.all)
    func decodes(_ row: GoldenText) throws {
        let plan = try SMSText.plan(row.text, options: row.options)
        var text = ""
        for (index, part) in row.octets.enumerated() {
            var start = 0
            var header: UserDataHeader?
            if plan.hasHeader {
                let there = try #require(UserDataHeader.parse(part))
                header = there
                start = there.octets
                #expect(start == plan.headerOctets)
                #expect(there.singleShift == row.alphabet.singleShift)
                #expect(there.lockingShift == row.alphabet.lockingShift)
            }
            if row.parts > 1, row.concatenation.headerOctets > 0 {
                let concatenation = try #require(header?.concatenation)
                #expect(concatenation.kind == row.concatenation)
                #expect(concatenation.reference == (row.concatenation == .udh8 ? row.reference & 0xFF : row.reference))
                #expect(concatenation.total == UInt8(row.parts))
                #expect(concatenation.number == UInt8(index + 1))
            } else {
                #expect(header?.concatenation == nil)
            }
            text += SMSText.decode(part[start...], SMSText.Coding(row.alphabet), header: header)
        }
        // `==` of strings is canonical equivalence; only the two no-break spaces need help.
        let keepsSpaces = row.alphabet == .ucs2 || row.alphabet == .latin1 || row.alphabet == .cyrillic
        let wanted = keepsSpaces ? row.text : String(row.text.map { $0 == "\u{A0}" || $0 == "\u{202F}" ? " " : $0 })
        #expect(text == wanted)
    }
}
