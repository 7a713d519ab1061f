extension Template {
    /// Names of the partials that a text itself puts in, each once, in the order in which they stand: read as compiling reads them, as far as its
    /// tags can be told apart. Those within others are not among them.
    public static func partials(of text: String) -> [String] {
        let source = Source(text)
        var reader = TagReader()
        var position = 0
        var names: [String] = []
        while case .tag(let tag) = reader.next(source, from: position) {
            position = tag.whole.upperBound
            switch tag.kind {
            case .partial:
                let name = source.text(tag.inside)
                if !name.isEmpty, !names.contains(name) { names.append(name) }
            case .delimiters: _ = reader.change(source, tag.inside)
            case .value, .raw, .section, .inverted, .close, .comment, .unsupported: break
            }
        }
        return names
    }
}
