import Testing

@testable import MartletSettings

@Suite("Mistakes in settings")
struct MistakeTests {
    @Test("All mistakes of a file come at once, in its order")
    func allAtOnce() {
        let text = """
            node:
              nmae: x
              name: a name that is far too long
            journal:
              segment: 64
              commitGap: 2
              keep: 1s
              sync: yes
            limits:
              openMessages: many
            htp: {listen: x}
            http:
              listen: 8080
              tls: on
            connections:
              - name: a
                window: 2000
                bind: splitt
              - name: a
                password: hunter2
              - just text
            """
        #expect(
            read(text).mistakes.map(\.description) == [
                "line 1, column 1: keys.master: is missing; set it: path of a file",
                "line 2, column 3: node.nmae: \"nmae\" is not a setting; did you mean name?",
                "line 3, column 9: node.name: has 27 bytes; write at most 16",
                "line 5, column 12: journal.segment: \"64\" has no unit; write a whole number and B, KiB, MiB, GiB or TiB, 4KiB to 1GiB, for example 4KiB",
                "line 6, column 14: journal.commitGap: \"2\" has no unit; write a whole number and ms, s, m, h or d, 0ms to 50ms, for example 0ms",
                "line 7, column 9: journal.keep: \"1s\" is out of range; write a whole number and ms, s, m, h or d, 1m to 90d, for example 1m",
                "line 8, column 9: journal.sync: \"yes\" is neither true nor false; write true or false",
                "line 10, column 17: limits.openMessages: \"many\" is not a whole number; write a whole number, 1000 to 2000000",
                "line 11, column 1: htp: \"htp\" is not a setting; did you mean http?",
                "line 13, column 11: http.listen: \"8080\" has no port; write host:port, for example 127.0.0.1:8080 or [::1]:8080",
                "line 14, column 8: http.tls: is a section; write its settings below it, indented: certificate",
                "line 16, column 5: connections[0].passwordFile: is missing; set it: path of a file that holds the secret, mode 0600",
                "line 17, column 13: connections[0].window: \"2000\" is out of range; write a whole number, 1 to 1000",
                "line 18, column 11: connections[0].bind: \"splitt\" is not one of its values; did you mean split? write one of: transceiver, split",
                "line 19, column 5: connections[1].passwordFile: is missing; set it: path of a file that holds the secret, mode 0600",
                "line 19, column 11: connections[1].name: \"a\" is the name of connections[0] too; give each its own name",
                "line 20, column 5: connections[1].password: \"password\" is not a setting; known here: name, bind, window, passwordFile, offset",
                "line 21, column 5: connections[2]: is not a section; write its settings as `name: value`: name, bind, window, passwordFile, offset",
            ])
    }

    @Test(
        "Each wrong value is told with what is wrong and what to write",
        arguments: [
            ("http: {listen: 'host:99999'}", "http.listen: \"host:99999\" has no port from 0 to 65535"),
            ("http: {listen: 'host:x'}", "http.listen: \"host:x\" has no port from 0 to 65535"),
            ("http: {listen: ':80'}", "http.listen: \":80\" has no host"),
            ("http: {listen: 'a b:80'}", "http.listen: \"a b:80\" has no host"),
            ("http: {listen: '::1:80'}", "http.listen: \"::1:80\" has an IPv6 address without brackets"),
            ("http: {listen: '[::g]:80'}", "http.listen: \"[::g]:80\" has no IPv6 address"),
            ("http: {listen: [a]}", "http.listen: takes one value, not a list; write host:port"),
            ("http: {listen: {a: b}}", "http.listen: takes one value, not a section; write host:port"),
            ("http: {listen: ''}", "http.listen: is empty; write host:port"),
            ("journal: {keep: fast}", "journal.keep: \"fast\" is not a duration"),
            ("journal: {keep: 5 m}", "journal.keep: \"5 m\" has the unknown unit \" m\""),
            ("journal: {keep: 5min}", "journal.keep: \"5min\" has the unknown unit \"min\""),
            ("journal: {keep: 99999999999999999999d}", "journal.keep: \"99999999999999999999d\" is out of range"),
            ("journal: {keep: 9999999999999999d}", "journal.keep: \"9999999999999999d\" is out of range"),
            ("journal: {segment: 1MB}", "journal.segment: \"1MB\" has the unknown unit \"MB\""),
            ("journal: {segment: big}", "journal.segment: \"big\" is not a size"),
            (
                "journal: {segment: 2GiB}",
                "journal.segment: \"2GiB\" is out of range; write a whole number and B, KiB, MiB, GiB or TiB, 4KiB to 1GiB"
            ),
            ("limits: {openMessages: 1.5}", "limits.openMessages: \"1.5\" is not a whole number"),
            ("limits: {openMessages: '-'}", "limits.openMessages: \"-\" is not a whole number"),
            ("limits: {openMessages: 99999999999999999999}", "limits.openMessages: \"99999999999999999999\" is out of range"),
            ("node: {name: \"a\\tb\"}", "node.name: holds a control character"),
            ("node: 5", "node: is a section"),
            ("connections: {name: a}", "connections: is a list of sections; begin each with `- ` below it: `- name: ...`"),
            ("connections: [[a]]", "connections[0]: is not a section"),
            ("routes: {prefixes: 44}", "routes.prefixes: is a list; write [a, b]"),
            ("routes: {prefixes: [44, [1]]}", "routes.prefixes[1]: is not a single value"),
            ("routes: {prefixes: [44, ~]}", "routes.prefixes[1]: is not a single value"),
            ("routes: {prefixes: [44, '']}", "routes.prefixes[1]: holds an empty value"),
            ("routes: {prefixes: [44, 48, 44]}", "routes.prefixes[2]: \"44\" stands twice; keep one of them"),
            ("certificate: x", "certificate: \"certificate\" is not a setting; did you mean http.tls.certificate?"),
            (
                "zzzzzzzz: x",
                "zzzzzzzz: \"zzzzzzzz\" is not a setting; known here: node, keys, journal, limits, http, connections, bootstrap, routes"
            ),
            ("http: {<<: {listen: x}}", "merge keys (<<) are not read; write the values out"),
            ("http: &a {}", "anchors (&) and aliases (*) are not read; write the values out"),
            ("node: {name: &a x}\nhttp: {plaintextReason: *a}", "anchors (&) and aliases (*) are not read"),
            (
                "node: {name: *a}",
                "not valid YAML: found undefined alias; anchors and aliases are not read; put a value that begins with * in quotes"
            ),
            ("node: {name: !secret x}", "the tag \"!secret\" is not read"),
            ("node: !!set {}", "the tag \"tag:yaml.org,2002:set\" is not read"),
            ("routes: {prefixes: !x [a]}", "the tag \"!x\" is not read"),
            ("? [a, b]\n: c", "a key is not a word; write `name: value`"),
            ("node: {name: a: b}", "not valid YAML: "),
            ("node:\n\tname: x", "not valid YAML: found character that cannot start any token"),
            ("node: a: b", "not valid YAML: mapping values are not allowed in this context; put a value that holds `: ` in quotes"),
            ("node: 'abc", "not valid YAML: found unexpected end of stream, while scanning a quoted scalar begun in line 2"),
            ("---\na: b", "keep one document; remove the line `---`"),
            ("node: \u{1}", "line 2, column 7: the file holds a control character (1); remove it"),
            ("node: {name: \u{FFFE}}", "not valid YAML: control characters are not allowed"),
        ])
    func wrongValues(text: String, expected: String) {
        let mistakes = told(text)
        #expect(mistakes.count >= 1 && mistakes.contains { $0.contains(expected) }, "\(mistakes)")
        #expect(mistakes.allSatisfy { !$0.contains("keys.master") }, "\(mistakes)")
    }

    @Test("A required setting that is empty or refused is told once")
    func required() {
        #expect(
            read("keys: {master: }").mistakes.map(\.description) == [
                "line 1, column 16: keys.master: has no value; write one: path of a file"
            ])
        #expect(
            read("keys: {master: ''}").mistakes.map(\.description) == ["line 1, column 16: keys.master: is empty; write path of a file"])
        #expect(read("").mistakes.map(\.description) == ["line 1, column 1: keys.master: is missing; set it: path of a file"])
        #expect(read("# nothing\n").mistakes.count == 1)
        #expect(
            read("just text").mistakes.first?.description
                == "line 1, column 1: the file does not hold sections; write `section:` and its settings below it, indented")
        #expect(read("- a\n- b").mistakes.first?.problem == "the file does not hold sections")
    }

    @Test("Keys that stand twice are all told, beside the other mistakes, and the first counts")
    func duplicates() {
        let text = """
            node: {name: a, name: b}
            http:
              listen: x:1
              "listen": y:2
              listen: z:3
            keys: {master: k}
            node: {name: c}
            limits: {openMessages: 1}
            """
        let (values, mistakes) = read(text)
        #expect(
            mistakes.map(\.description) == [
                "line 1, column 17: \"name\" stands twice, first in line 1; keep one of them",
                "line 4, column 3: \"listen\" stands twice, first in line 3; keep one of them",
                "line 5, column 3: \"listen\" stands twice, first in line 3; keep one of them",
                "line 7, column 1: \"node\" stands twice, first in line 1; keep one of them",
                "line 8, column 24: limits.openMessages: \"1\" is out of range; write a whole number, 1000 to 2000000",
            ])
        #expect(values.text(Declared.name) == "a" && values.address(Declared.listen) == ("x", 1))
    }

    @Test("Duplicates after odd line breaks and letters are found where they stand; those that cannot be renamed still are a mistake")
    func oddDuplicates() {
        #expect(told("# \u{1F600}\r\n# \u{2028}# x\nnode: {name: é, name: b}").contains { $0.contains("\"name\" stands twice") })
        #expect(told("node: {name: é, name: b}") == ["line 2, column 17: \"name\" stands twice, first in line 2; keep one of them"])
        #expect(told("\"\\x61\": 1\n\"\\x61\": 2") == ["line 2, column 1: \"a\" stands twice; keep one of them"])
        #expect(told("\"\": 1\n\"\": 2") == ["line 2, column 1: \"\" stands twice; keep one of them"])
        let many = (0..<30).map { "k\($0): 1\nk\($0): 1\n" }.joined()
        #expect(told(many).last == "line 1, column 1: more than 20 keys stand twice; keep one of each")
        #expect(told("? {a: 1}\n: 1\n? {a: 1}\n: 2").contains { $0.contains("stands twice") })
    }

    @Test("The environment's mistakes name the variable")
    func environment() {
        #expect(
            told(
                "",
                environment: [
                    "MARTLET_HTTP_LISTN": "x", "MARTLET_LIMITS_OPEN_MESSAGES": "1", "MARTLET_CONNECTIONS_WINDOW": "5",
                    "MARTLET_NODE_NAME": "",
                ]) == [
                    "environment MARTLET_CONNECTIONS_WINDOW: names no setting; unset it; only single values outside lists can be set so",
                    "environment MARTLET_HTTP_LISTN: names no setting; did you mean MARTLET_HTTP_LISTEN?",
                    "environment MARTLET_LIMITS_OPEN_MESSAGES: limits.openMessages: \"1\" is out of range; write a whole number, 1000 to 2000000",
                    "environment MARTLET_NODE_NAME: node.name: is empty; write text, at most 16 bytes",
                ])
    }

    @Test("Depth, size, aliases and the number of mistakes are bounded")
    func bounds() {
        func problem(_ text: String) -> String? { read(text).mistakes.first?.problem }
        #expect(problem(String(repeating: "[", count: 100_000)) == "values are nested deeper than 20")
        func isDeep(_ text: String) -> Bool { read(text).mistakes.contains { $0.problem == "values are nested deeper than 20" } }
        #expect(isDeep(String(repeating: "{a: ", count: 60) + "1" + String(repeating: "}", count: 60)))
        #expect(isDeep("keys: {master: " + String(repeating: "[", count: 19) + String(repeating: "]", count: 19) + "}"))
        #expect(!isDeep("keys: {master: " + String(repeating: "[", count: 18) + String(repeating: "]", count: 18) + "}"))
        #expect(problem(String(repeating: "-", count: 5000)) == "values are nested deeper than 20")
        #expect(problem(String(repeating: "- ", count: 5000) + "x") == "values are nested deeper than 20")
        let steps = (0..<90).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(isDeep(steps))
        #expect(problem(String(repeating: " ", count: 200) + "# far right") == "is missing")
        #expect(problem(String(repeating: "a: b\n", count: 300_000))?.hasPrefix("the file has 1500000 bytes") == true)
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...30 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(problem(bomb + "? *a30\n: x\n") == "anchors (&) and aliases (*) are not read")
        let unknown = (0..<500).map { "unknown\($0): 1\n" }.joined()
        let mistakes = read(unknown).mistakes
        #expect(mistakes.count == 101 && mistakes[100].problem == "there are more mistakes")
        let long = told(String(repeating: "k", count: 900) + ": 1")
        #expect(long.count == 1 && long[0].utf8.count < 300)
        #expect(
            told("routes:\n  prefixes: [" + (0..<1001).map(String.init).joined(separator: ",") + "]") == [
                "line 3, column 13: routes.prefixes: has 1001 values; write at most 1000"
            ])
    }

    @Test("A large valid file of settings is read whole")
    func large() {
        let connections = (0..<2000).map { "  - {name: c\($0), passwordFile: /p/\($0)}\n" }.joined()
        let (values, mistakes) = read("keys: {master: k}\nconnections:\n" + connections)
        #expect(mistakes == [] && values.elements("connections").count == 2000)
    }

    @Test("A value that may be a secret is never shown")
    func secrets() {
        let all =
            told("connections:\n  - name: a\n    passwordFile: \"hunter2\\n\"\n")
            + told("connections:\n  - name: a\n    passwordFile: [hunter2]\n")
            + told("connections:\n  - {name: a, password: hunter2, passwordFile: \(String(repeating: "hunter2", count: 1000))}\n")
        #expect(all.count == 4 && all.allSatisfy { !$0.contains("hunter2") }, "\(all)")
    }

    @Test("What is shown of a value is cut and kept on one line")
    func shown() {
        #expect(quoted(String(repeating: "x", count: 41)) == "\"" + String(repeating: "x", count: 40) + "...\"")
        #expect(quoted("a\nb\u{9B}") == "\"a?b?\"")
    }

    @Test("The nearest word is the one meant, or none")
    func nearestWords() {
        let words = ["listen", "window", "windows", "tls"]
        #expect(nearest(to: "lsiten", among: words) == "listen" && nearest(to: "WINDOW", among: words) == "window")
        #expect(nearest(to: "tsl", among: words) == "tls" && nearest(to: "xyz", among: words) == nil)
        #expect(nearest(to: "", among: words) == nil && nearest(to: String(repeating: "a", count: 65), among: words) == nil)
    }

    @Test("Marks are in the order of the file, then of the environment")
    func marks() {
        let sorted: [Mark] = [.line(1, column: 2), .line(2, column: 1), .environment("A"), .environment("B")]
        #expect(sorted.reversed().sorted() == sorted)
    }

    @Test("Random changes to a valid file end in values or mistakes, never in a crash", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) {
        var random = Mixer(state: seed)
        let good = Array(Declared.valid.unicodeScalars)
        let pieces = Array("[]{}:,&*!|>'\"%@`#?- \n\r\t~<\u{0}\u{7F}\u{85}\u{2028}\u{FEFF}\u{E000}éa1".unicodeScalars)
        let words = [
            "&a ", "*a", "<<: *a\n", "- ", ": ", "!!binary x", "|\n  x\n", "'", "\"\\", "---\n", "...\n", "? ", "{a: {a: {", "%YAML 9.9\n",
            "name: x\n",
        ]
        for _ in 0..<250 {
            var text = good
            for _ in 0...random.below(6) {
                let place = random.below(text.count + 1)
                switch random.below(6) {
                case 0: text.insert(pieces[random.below(pieces.count)], at: place)
                case 1: text.insert(contentsOf: words[random.below(words.count)].unicodeScalars, at: place)
                case 2: if place < text.count { text.remove(at: place) }
                case 3: text.removeSubrange(place..<min(text.count, place + random.below(40)))
                case 4: if place < text.count { text[place] = pieces[random.below(pieces.count)] }
                default:
                    text.insert(
                        contentsOf: Array(text[place..<min(text.count, place + random.below(80))]), at: random.below(text.count + 1))
                }
            }
            var string = String.UnicodeScalarView()
            string.append(contentsOf: text)
            let (values, mistakes) = read(String(string))
            _ = values.elements("connections").map { $0.integer(Declared.window) }
            for mistake in mistakes { #expect(!mistake.problem.isEmpty && !mistake.remedy.isEmpty) }
            // The letter that stands in for a duplicate's first never leaves the reader.
            if !text.contains("\u{E000}") { #expect(!mistakes.contains { $0.description.contains("\u{E000}") }) }
        }
    }
}

/// A small seeded generator (SplitMix64): the same changes at every run.
struct Mixer {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
}
