/// A compiled template: mustache as editors write it, made once, rendered as often as wanted.
///
/// It keeps nothing of a rendering, so it may be used on several threads at once.
public struct Template: Sendable {
    /// What a template is made for.
    public struct Options: Sendable {
        /// How values are escaped.
        public var kind: OutputKind
        /// How numbers, money and dates are written, and which plural forms there are.
        public var locale: TextLocale
        /// Whether `{{{name}}}` and `{{&name}}` are taken where values are escaped. In a plain text they mean the same as `{{name}}`.
        public var allowsRaw = false
        /// Whether a field that is missing is written as nothing. Else rendering fails, but for sections and for what has a default.
        public var missingIsEmpty = false
        /// Whether markup is refused that could run something, or send the reader where a value says. Asked of HTML alone.
        public var checksMarkup = true
        /// Schemes that no address in markup may have, in small letters.
        public var refusedSchemes: Set<String> = ["javascript", "vbscript", "data", "file", "blob", "about"]
        /// Hosts, in small letters, from which markup may load pictures and the like; nil: any.
        public var pictureHosts: Set<String>?
        /// Names of the record that will be rendered, in its order: look-ups begin where they say. A record in another order renders the same,
        /// slower.
        public var fields: [String] = []
        public var limits = Limits()

        public init(_ kind: OutputKind, _ locale: TextLocale) {
            self.kind = kind
            self.locale = locale
        }
    }

    public let options: Options
    let program: Program

    /// Names of the partials that it puts in, those within others too; each once, in their order.
    public var partials: [String] { program.partials }

    /// Compiles `text`. `partials` are the texts that `{{>name}}` stands for, by name.
    /// - Throws: all mistakes at once, of the partials it uses too.
    public init(_ text: String, partials: [String: String] = [:], _ options: Options) throws(TemplateFaults) {
        self.options = options
        program = try Compiler.compile(text, partials, options)
    }

    /// Renders into `buffer` and says how much of it is used. Asks for no memory.
    /// - Throws: what is wrong with the values; the buffer then holds nothing of use.
    public func render(_ values: Record, into buffer: UnsafeMutableBufferPointer<UInt8>) throws(RenderFault) -> Rendered {
        try render(root: .record(values), into: buffer)
    }

    /// The same for a root that is no record, which mustache allows.
    func render(root: Value, into buffer: UnsafeMutableBufferPointer<UInt8>) throws(RenderFault) -> Rendered {
        var spare: UInt8 = 0
        return try withUnsafeMutablePointer(to: &spare) { spare throws(RenderFault) in
            var renderer = Renderer(self, Output(buffer, spare: spare))
            return try renderer.render(root)
        }
    }

    /// Renders into a text of at most `octetsMax`.
    public func text(_ values: Record, octetsMax: Int = 65_536) throws(RenderFault) -> String {
        try text(root: .record(values), octetsMax: octetsMax)
    }

    func text(root: Value, octetsMax: Int = 65_536) throws(RenderFault) -> String {
        try withBuffer(of: octetsMax) { buffer throws(RenderFault) in
            let rendered = try render(root: root, into: buffer)
            return String(decoding: UnsafeBufferPointer(rebasing: buffer[..<rendered.octets]), as: UTF8.self)
        }
    }

    private func withBuffer<Result>(
        of octets: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws(RenderFault) -> Result
    ) throws(RenderFault) -> Result {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(octets, 0))
        defer { buffer.deallocate() }
        return try body(buffer)
    }
}

/// What a rendering came to.
public struct Rendered: Sendable, Equatable {
    /// Octets of the buffer that are used.
    public let octets: Int
    /// Where the value with the filter `fit` stands, in octets; nil when there is none.
    public let stretch: Range<Int>?
    /// Letters of that value that are kept at least.
    public let keep: Int
}
