import Templates

extension FuzzTarget {
    /// A template of any octets. It is refused with places that are in it, or it renders what its values came to: the same each time, within its
    /// bounds, and no longer or shorter than the check before publishing says. The first octet chooses kind and language; behind an octet
    /// 0xFF, which is in no text, lies a partial.
    static let template = FuzzTarget(name: "template") { bytes in
        guard let first = bytes.first, bytes.count <= 4096 else { return }
        let pieces = bytes.dropFirst().split(separator: 0xFF, maxSplits: 1, omittingEmptySubsequences: false)
        let texts = pieces.map { String(decoding: $0, as: UTF8.self) }
        var options = Template.Options(
            OutputKind.allCases[Int(first) % 4], TextLocale.all[Int(first / 4) % TextLocale.all.count])
        options.missingIsEmpty = first >= 128
        options.limits.octets = 65_536
        options.limits.steps = 5000
        options.limits.depth = 8
        let template: Template
        do throws(TemplateFaults) {
            template = try Template(texts[0], partials: ["p": texts.count > 1 ? texts[1] : "{{a}}"], options)
        } catch {
            claim(!error.findings.isEmpty && error.findings.count <= 100, "refused with \(error.findings.count) findings")
            claim(error.findings.allSatisfy { $0.place.line >= 1 && $0.place.column >= 1 && !$0.reason.isEmpty }, "a finding has no place")
            return
        }
        let check = template.check(shape)
        claim(template.uses.count <= options.limits.steps, "more uses than steps")
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 8192)
        defer { buffer.deallocate() }
        do throws(RenderFault) {
            let rendered = try template.render(values, into: buffer)
            let text = buffer[..<rendered.octets]
            claim(String(validating: text, as: UTF8.self) != nil, "what was rendered is not UTF-8")
            if check.findings.isEmpty {
                let letters = text.count { $0 & 0xC0 != 0x80 }
                claim(letters >= check.length.least, "\(letters) letters, at least \(check.length.least) were said")
                claim(check.length.most.map { letters <= $0 } ?? true, "\(letters) letters, at most \(check.length.most ?? 0) were said")
            }
            let again = try template.text(values, octetsMax: 8192)
            claim(Array(again.utf8) == Array(text), "rendered twice it is not the same")
            let fitted = try template.render(values, into: buffer) { $0.count <= 20 }
            claim(!fitted.fits || fitted.octets <= 20, "what fits is too long")
        } catch {
            // A checked template has its fields; only what is bounded may end a rendering.
            if check.findings.isEmpty {
                claim(error == .full || error == .tooManySteps || error == .tooDeep, "\(error) after a check")
            }
        }
    }

    private static let shape = Shape.record([
        .init("a", .text(letters: 20)), .init("m", .money(digits: 9)), .init("n", .integer(digits: 4)), .init("d", .decimal(digits: 6)),
        .init("t", .moment), .init("o", .text(letters: 5).orMissing), .init("b", .boolean),
        .init("r", .record([.init("a", .text(letters: 3)), .init("n", .integer(digits: 2))])),
        .init("l", .list(of: .record([.init("a", .text(letters: 4))]), longest: 3)),
    ])

    private static let values: Record = {
        var record = Record([
            ("a", .text("<Corner> & Пекарня")), ("n", .integer(-1011)), ("t", .moment(LocalMoment(seconds: 1_795_370_640, offset: 7200))),
            ("b", .boolean(true)), ("r", .record(Record([("a", .text("{{a")), ("n", .integer(21))]))),
            ("l", .list([.record(Record([("a", .text("one"))])), .record(Record([("a", .text("\"'"))]))])),
        ])
        if let currency = Currency("UAH") { record.add("m", .money(Money(minor: -123_450, currency))) }
        if let number = ExactDecimal(-1_234_567, scale: 3) { record.add("d", .decimal(number)) }
        return record
    }()
}
