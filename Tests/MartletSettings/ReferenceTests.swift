import Glibc
import MartletModel
import Testing

@testable import MartletSettings

@Suite("Reference pages")
struct ReferenceTests {
    @Test("The settings page has a table a section, with range, default and variables")
    func settings() {
        let page = Reference.settings(Declared.all)
        #expect(page.hasPrefix("# Settings\n\n<!-- Generated"))
        #expect(
            page.contains(
                """
                ## journal

                | Setting             | Takes                 | Default | Applied | What it does  |
                |---------------------|-----------------------|---------|---------|---------------|
                | `journal.segment`   | size, 4KiB to 1GiB    | `64MiB` | restart | Segment size. |
                | `journal.commitGap` | duration, 0ms to 50ms | `1ms`   | live    | Commit gap.   |
                | `journal.keep`      | duration, 1m to 90d   | `24h`   | restart | Kept time.    |
                | `journal.sync`      | true or false         | `true`  | restart | Sync.         |

                Environment: `MARTLET_JOURNAL_SEGMENT`, `MARTLET_JOURNAL_COMMIT_GAP`, `MARTLET_JOURNAL_KEEP`, `MARTLET_JOURNAL_SYNC`.

                ## limits
                """))
        #expect(page.contains("| required |") && page.contains("| none ") && page.contains("Certificate \\| PEM."))
        #expect(page.contains("one of transceiver, split") && page.contains("list, each a scope") && page.contains("mode 0600"))
        #expect(!page.contains("MARTLET_CONNECTIONS"))
        #expect(page == Reference.settings(Declared.all))
    }

    @Test("The metrics page is sorted by name, the errors page by status and code")
    func metricsAndErrors() {
        let metrics = Reference.metrics([
            Metric("martlet_b_total", .counter, labels: ["class", "lane"], doc: "B."), Metric("martlet_a_seconds", .histogram, doc: "A."),
        ])
        #expect(
            metrics.hasSuffix(
                """
                | Metric              | Kind      | Labels          | What it counts |
                |---------------------|-----------|-----------------|----------------|
                | `martlet_a_seconds` | histogram |                 | A.             |
                | `martlet_b_total`   | counter   | `class`, `lane` | B.             |

                """))
        let errors = Reference.errors([
            ErrorCode("too_long", status: 422, title: "The text is too long", remedy: "Shorten it."),
            ErrorCode("no_key", status: 401, title: "No key.", remedy: "Send one."),
            ErrorCode("inner", status: 0, title: "Inner", remedy: "None."),
        ])
        #expect(
            errors.hasSuffix(
                """

                ## inner

                Inner. Never leaves by HTTP.

                None.

                ## no_key

                No key. HTTP 401.

                Send one.

                ## too_long

                The text is too long. HTTP 422.

                Shorten it.

                """))
    }

    @Test("The reasons page holds every state, reason, class and receipt, and the state table")
    func reasons() {
        let page = Reference.reasons(transitions: [
            .init(.queued, .submitted, "Its bytes were written."), .init(.unknown, .queued, "Sent again."),
        ])
        for state in MessageState.allCases { #expect(page.contains("| `\(state.word)`")) }
        for reason in EndReason.allCases { #expect(page.contains(reason.doc)) }
        for one in MessageClass.allCases { #expect(page.contains("| `\(one.word)`")) }
        for receipt in ReceiptState.allCases { #expect(page.contains("`\(receipt.word)`")) }
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `queued`") || $0.hasPrefix("| `unknown`") }
        #expect(rows.contains { $0.filter { $0 != " " } == "|`queued`||yes|-|-|-|-|-|-|-|-|-|" })
        #expect(rows.contains { $0.filter { $0 != " " } == "|`unknown`|yes|-|-|-|-|-|-||-|-|-|" })
        #expect(rows.contains { $0.contains("| `submitted` | Its bytes were written.") })
        #expect(!Reference.reasons(transitions: []).contains("| When"))
    }

    static let examples = [
        "keys.master": "/etc/martlet/master.key", "connections[].name": "harbour-1",
        "connections[].passwordFile": "/etc/martlet/harbour-1.password",
        "bootstrap.sources[].name": "core",
    ]

    @Test("The sample file reads without a mistake and gives every default")
    func sample() {
        let text = Reference.sample(
            Declared.all, introductions: ["http": "The intake.", "connections": String(repeating: "A word about binds. ", count: 20)],
            examples: ReferenceTests.examples)
        let (values, mistakes) = read(text)
        #expect(mistakes == [], "\(text)")
        for setting in Declared.all where !setting.path.contains("[]") {
            #expect(text.contains("\(setting.path.split(separator: ".").last ?? ""):"))
        }
        #expect(values.text(Declared.key) == "/etc/martlet/master.key" && values.size(Declared.segment) == 64 << 20)
        #expect(values.elements("connections").map { $0.integer(Declared.offset) } == [-1])
        #expect(values.elements("bootstrap.sources").first?.list(Declared.scopes) == ["send", "read"])
        #expect(!values.isSet(Declared.reason) && text.contains("  # plaintextReason:\n") && text.contains("# The intake.\nhttp:\n"))
        #expect(
            text.contains(
                """
                journal:
                  # Segment size.
                  # Size, 4KiB to 1GiB. Default: 64MiB.
                  segment: 64MiB

                  # Commit gap.
                  # Duration, 0ms to 50ms. Default: 1ms. Live.
                  commitGap: 1ms
                """))
        #expect(
            text.contains("connections:\n    # Name.\n    # Text, at most 32 bytes. Required.\n  - name: harbour-1\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 122 })
    }

    @Test("Without examples a list stays empty and its element is shown as a comment")
    func sampleWithoutExamples() {
        let text = Reference.sample(Declared.all)
        #expect(
            text.contains("connections: []\n  #   # Name.\n  #   # Text, at most 32 bytes. Required.\n  # - name: ...\n")
                && text.contains("\n  #   window: 50\n") && text.contains("  # master:\n"))
        let (values, mistakes) = read(text)
        #expect(mistakes.map(\.path) == ["keys.master"] && values.elements("connections").isEmpty)
        // Without the mark the shown element is one.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("  # - ") || line.hasPrefix("  #   ") ? "  " + line.dropFirst(4) : String(line)
        }
        let active = read(lines.joined(separator: "\n").replacing("connections: []", with: "connections:"))
        #expect(
            active.mistakes.map(\.path) == ["keys.master"]
                && active.values.elements("connections").map { $0.text(Declared.group) } == ["..."])
    }

    @Test("The first setting of an element carries the dash even when it is optional")
    func sampleDash() {
        let declared = [
            Setting("r[].prefix", .text(maximumBytes: 9), default: "", doc: "Prefix."),
            Setting("r[].group", .text(maximumBytes: 9), default: nil, doc: "Group."),
        ]
        #expect(
            Reference.sample(declared).hasSuffix(
                "r: []\n  #   # Prefix.\n  #   # Text, at most 9 bytes. Default: none.\n  # - prefix: \"\"\n\n  #   # Group.\n  #   # Text, at most 9 bytes. Required.\n  #   group: ...\n"
            ))
        let shown = Reference.sample(declared, examples: ["r[].group": "g"])
        #expect(shown.contains("  - prefix: \"\"\n") && shown.hasSuffix("    group: g\n"))
        let (values, mistakes) = SettingsFile.read(text: shown, declared: declared)
        #expect(mistakes == [] && values.elements("r").count == 1 && !values.elements("r")[0].isSet(declared[0]))
    }

    @Test("A default that YAML would read otherwise is quoted")
    func quoting() {
        let odd = [
            Setting("a.b", .text(maximumBytes: 60), default: "say \"x\": # \\ y", doc: "x"),
            Setting("a.c", .text(maximumBytes: 60), default: "-", doc: "x"),
            Setting("a.d", .text(maximumBytes: 60), default: "null", doc: "x"),
        ]
        let (values, mistakes) = SettingsFile.read(text: Reference.sample(odd), declared: odd)
        #expect(mistakes == [] && odd.map { values.text($0) } == ["say \"x\": # \\ y", "-", "null"])
    }

    @Test("A page that differs from the disk is named, and written anew when asked")
    func freshness() {
        let root = "/tmp/reference-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        mkdir(root, 0o700)
        defer {
            unlink("\(root)/a.md")
            rmdir(root)
        }
        let first = Reference.Page(path: "a.md", text: "one\n")
        #expect(Reference.stale([first], root: root, update: false) == ["a.md is missing; write it anew with UPDATE_REFERENCE=1"])
        #expect(Reference.stale([first], root: root, update: true) == [] && Reference.stale([first], root: root, update: false) == [])
        let second = Reference.Page(path: "a.md", text: "two, longer\n")
        #expect(Reference.stale([second], root: root, update: false) == ["a.md is stale; write it anew with UPDATE_REFERENCE=1"])
        #expect(Reference.stale([second], root: root, update: true) == [] && Reference.stale([second], root: root, update: false) == [])
        let lost = Reference.Page(path: "no/such/b.md", text: "x")
        #expect(Reference.stale([lost], root: root, update: true) == ["no/such/b.md cannot be written: No such file or directory"])
    }
}
