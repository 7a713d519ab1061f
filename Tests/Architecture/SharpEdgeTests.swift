import Testing

/// Places where the compiler's proof is switched off, or a fault would end the process: each carries its own proof.
@Suite struct SharpEdgeTests {
    /// What takes a proof, and what it takes it from.
    static let edges = ["@unchecked Sendable", "nonisolated(unsafe)", "try!", "as!", "fatalError(", "unsafeBitCast("]

    @Test("Every place that switches a check off says above it why that is safe")
    func proofs() throws {
        var listed: [String] = []
        var bare: [String] = []
        for file in Repository.files(in: "Sources", ending: ".swift") {
            let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                guard let edge = Self.edge(in: line) else { continue }
                let place = "\(file):\(index + 1): \(edge)"
                listed.append(place)
                if !Self.hasProof(at: index, in: lines) { bare.append(place) }
            }
        }
        if !listed.isEmpty { print("checks switched off, each with its proof above it:\n  \(listed.joined(separator: "\n  "))") }
        #expect(bare.isEmpty, "no comment above:\n\(bare.joined(separator: "\n"))")
    }

    @Test("Nothing is left for later in a comment")
    func leftovers() throws {
        // Put together here, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for file in Repository.swiftFiles() {
            let text = try Repository.text(file)
            for word in words {
                #expect(!text.contains(word), "\(file) has \(word)")
            }
        }
    }

    @Test("No source is longer than 700 lines; those over 400 are named")
    func length() throws {
        // Nobody reads or writes it: it is sql/, whose files are an idea each, as a program carries them.
        let written = "Sources/MartletStore/StoreSchemaFiles.swift"
        for file in Repository.files(in: "Sources", ending: ".swift") where file != written {
            let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false).count
            if lines > 400 { print("\(file): \(lines) lines; one idea a file aims under 400") }
            #expect(lines <= 700, "\(file)")
        }
    }

    @Test("An edge is seen in code and not in a comment, and its proof may stand above its attributes or beside it")
    func reading() {
        #expect(Self.edge(in: "final class Box: @unchecked Sendable {") == "@unchecked Sendable")
        #expect(Self.edge(in: "// never as! here") == nil)
        #expect(Self.edge(in: "let has!= 1") == nil)
        #expect(Self.hasProof(at: 2, in: ["// The loop owns it.", "@available(*, deprecated)", "final class Box: @unchecked Sendable {"]))
        #expect(Self.hasProof(at: 0, in: ["nonisolated(unsafe) var a = 1 // written before the threads start"]))
        #expect(!Self.hasProof(at: 1, in: ["let a = 1", "nonisolated(unsafe) var b = 1"]))
        #expect(!Self.hasProof(at: 0, in: ["nonisolated(unsafe) var b = 1"]))
    }

    static func edge(in line: some StringProtocol) -> String? {
        let code = SourceLine.withoutComment(line)
        return edges.first { edge in
            guard let found = code.firstRange(of: edge) else { return false }
            // A word of its own: `has!` is not `as!`.
            guard found.lowerBound > code.startIndex, edge.first?.isLetter == true else { return true }
            let before = code[code.index(before: found.lowerBound)]
            return !before.isLetter && !before.isNumber && before != "_"
        }
    }

    static func hasProof(at index: Int, in lines: [Substring]) -> Bool {
        if SourceLine.withoutComment(lines[index]).endIndex < lines[index].endIndex { return true }
        var above = index - 1
        while above >= 0 {
            let line = lines[above].drop(while: \.isWhitespace)
            if line.hasPrefix("//") { return true }
            guard line.hasPrefix("@") else { return false }
            above -= 1
        }
        return false
    }
}
