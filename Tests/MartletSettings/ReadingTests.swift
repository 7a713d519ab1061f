import Glibc
import MartletModel
import Testing

@testable import MartletSettings

@Suite("Settings that are read")
struct ReadingTests {
    @Test("A valid file gives every value, typed, and the defaults of what it leaves out")
    func valid() throws {
        let (values, mistakes) = read(Declared.valid)
        #expect(mistakes == [])
        #expect(values.text(Declared.name) == "harbour" && values.text(Declared.key) == "/etc/martlet/master.key")
        #expect(
            values.size(Declared.segment) == 16 << 20 && values.duration(Declared.gap) == 2 && values.duration(Declared.keep) == 86_400_000)
        #expect(!values.flag(Declared.sync) && values.integer(Declared.open) == 5000)
        #expect(values.address(Declared.listen) == ("::1", 9090))
        #expect(values.text(Declared.reason) == "" && !values.isSet(Declared.reason) && values.isSet(Declared.certificate))
        #expect(values.list(Declared.prefixes) == ["44", "48"])
        let connections = values.elements("connections")
        #expect(connections.map { $0.text(Declared.group) } == ["harbour-1", "harbour-2"])
        #expect(connections.map { $0.integer(Declared.window) } == [10, 50])
        #expect(connections.map { $0.text(Declared.bind) } == ["transceiver", "split"])
        #expect(connections[0].integer(Declared.offset) == -1)
        let sources = values.elements("bootstrap.sources")
        #expect(sources.map { $0.list(Declared.scopes) } == [["send"], ["send", "read"]])
        #expect(values.elements("nothing").isEmpty)
    }

    @Test("Places let a later check point at the line")
    func marks() {
        let values = read(Declared.valid).values
        #expect(values.mark(of: Declared.name) == .line(3, column: 9))
        #expect(values.mark(of: Declared.keep) == .line(2, column: 1))
        let second = values.elements("connections")[1]
        #expect(second.mark == .line(19, column: 5) && second.path == "connections[1]")
        #expect(second.mark(of: Declared.bind) == .line(20, column: 11) && second.mark(of: Declared.window) == second.mark)
        let mistake = second.mistake(Declared.bind, "is not known to its operator", remedy: "ask")
        #expect(mistake.description == "line 20, column 11: connections[1].bind: is not known to its operator; ask")
        #expect(mistake.text(file: "a.yaml") == "a.yaml:20:11: connections[1].bind: is not known to its operator; ask")
        #expect(values.path(of: Declared.bind) == "connections[].bind")
    }

    @Test("A setting asked of the wrong kind, or never declared, is empty and no crash")
    func wrongKind() {
        let values = read(Declared.valid).values
        #expect(values.integer(Declared.name) == 0 && values.text(Declared.open) == "" && values.duration(Declared.name) == 0)
        #expect(values.size(Declared.name) == 0 && !values.flag(Declared.name) && values.list(Declared.name) == [])
        #expect(values.address(Declared.name) == ("", 0))
        let never = Setting("never.declared", .integer(3...5), default: nil, doc: "x")
        #expect(values.integer(never) == 3 && !values.isSet(never))
        for (kind, isZero) in [
            (Setting.Kind.flag, { (values: SettingValues, setting: Setting) in !values.flag(setting) }),
            (.address, { $0.address($1) == ("", 0) }), (.size(7...9), { $0.size($1) == 7 }), (.duration(7...9), { $0.duration($1) == 7 }),
            (.list(of: "x"), { $0.list($1) == [] }), (.secret, { $0.text($1) == "" }),
        ] {
            #expect(isZero(values, Setting("none", kind, default: "", doc: "x")))
        }
    }

    @Test("Empty sections, lists and optional values read as absent")
    func emptiness() {
        let (values, mistakes) = read(
            "keys: {master: k}\nhttp:\n  plaintextReason: \"\"\n  tls: ~\n  listen:\nconnections:\nroutes: {prefixes: []}\n")
        #expect(mistakes == [])
        #expect(!values.isSet(Declared.reason) && values.address(Declared.listen) == ("127.0.0.1", 8080))
        #expect(values.mark(of: Declared.reason) == .line(3, column: 20))
    }

    @Test("The environment wins over the file and completes it")
    func environment() {
        let (values, mistakes) = read(
            "http: {listen: 127.0.0.1:1}\n",
            environment: [
                "MARTLET_HTTP_LISTEN": "0.0.0.0:2", "MARTLET_KEYS_MASTER": "/k", "MARTLET_JOURNAL_COMMIT_GAP": "3ms",
                "MARTLET_TEST_UNSAFE": "1",
                "MARTLET_HTTP": "x", "PATH": "/bin", "MARTLET_HTTP_PLAINTEXT_REASON": "",
            ])
        #expect(mistakes == [])
        #expect(
            values.address(Declared.listen) == ("0.0.0.0", 2) && values.text(Declared.key) == "/k" && values.duration(Declared.gap) == 3)
        #expect(values.mark(of: Declared.listen) == .environment("MARTLET_HTTP_LISTEN"))
        #expect(values.mistake(Declared.listen, "p", remedy: "r").text(file: "f") == "environment MARTLET_HTTP_LISTEN: http.listen: p; r")
        #expect(SettingsFile.environmentName(of: Declared.open) == "MARTLET_LIMITS_OPEN_MESSAGES")
        #expect(SettingsFile.environmentName(of: Declared.window) == nil && SettingsFile.environmentName(of: Declared.prefixes) == nil)
    }

    @Test("Durations, sizes and addresses are read in every unit and form")
    func units() throws {
        for (text, value) in [("0ms", 0), ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("24h", 86_400_000), ("7d", 604_800_000)]
            as [(String, Int64)]
        {
            #expect(try Setting.Kind.duration(0 ... .max).read(text) == .milliseconds(value))
        }
        for (text, value) in [("0B", 0), ("1B", 1), ("2KiB", 2048), ("64MiB", 64 << 20), ("4GiB", 4 << 30), ("1TiB", 1 << 40)] {
            #expect(try Setting.Kind.size(0 ... .max).read(text) == .bytes(value))
        }
        for (text, host, port) in [("localhost:1", "localhost", 1), ("[::]:65535", "::", 65_535), ("a-b.c_d:0", "a-b.c_d", 0)] {
            #expect(try Setting.Kind.address.read(text) == .address(host: host, port: port))
        }
        #expect(try Setting.Kind.list(of: "x").read("a") == .list(["a"]))
        #expect(Unit.duration(0) == "0ms" && Unit.duration(90_000) == "90s" && Unit.size(0) == "0B" && Unit.size(1536) == "1536B")
    }

    @Test("A file is read from disk; one that is missing, no text or a directory is one mistake")
    func files() throws {
        let path = "/tmp/settings-tests-\(getpid())-\(UInt32.random(in: 0 ... .max)).yaml"
        defer { unlink(path) }
        func written(_ bytes: [UInt8]) throws {
            let stream = try #require(fopen(path, "we"))
            fwrite(bytes, 1, bytes.count, stream)
            fclose(stream)
        }
        func mistakes() -> [String] { SettingsFile.read(file: path, declared: Declared.all).mistakes.map(\.description) }
        #expect(
            mistakes() == [
                "line 1, column 1: the file cannot be opened (No such file or directory); correct the path, or the file's rights"
            ])
        try written(Array(Declared.valid.utf8))
        #expect(mistakes() == [])
        try written([0xFF, 0x41])
        #expect(mistakes() == ["line 1, column 1: the file is not UTF-8; save it as UTF-8"])
        try written([UInt8](repeating: 0x20, count: 1 << 20) + [0x20])
        #expect(mistakes() == ["line 1, column 1: the file has 1048577 bytes; settings have at most 1048576; name the right file"])
        let directory = SettingsFile.read(file: "/tmp", declared: Declared.all).mistakes
        #expect(directory.map(\.problem) == ["the file cannot be read"])
    }

    @Test("Faults of the declarations themselves are found")
    func declarations() {
        #expect(SettingsFile.faults(of: Declared.all) == [])
        let bad = [
            Setting("a.b", .integer(1...3), default: "7", doc: ""), Setting("a.b", .flag, default: "true", doc: "x"),
            Setting("A.b c", .flag, default: "true", doc: "x"), Setting("l[]", .flag, default: "true", doc: "x"),
            Setting("a.b.c", .flag, default: "true", doc: "x"), Setting("m", .list(of: "x"), default: "a", doc: "x"),
            Setting("n", .list(of: "x"), default: "[a, ]", doc: "x"),
        ]
        #expect(
            SettingsFile.faults(of: bad) == [
                "a.b has no doc", "a.b: its default \"7\" is out of range; write a whole number, 1 to 3", "a.b is declared twice",
                "A.b c is not a dotted path of words", "l[] ends in a list of sections", "m: its default \"a\" is not a list; write [a, b]",
                "n: its default holds an empty value; remove it",
                "a.b.c is both a setting and a section, or both one section and a list",
            ])
        let (_, mistakes) = SettingsFile.read(text: "", declared: [bad[0]])
        #expect(
            mistakes.map(\.description) == [
                "line 1, column 1: a.b: its declared default \"7\" is out of range; set it here; write a whole number, 1 to 3"
            ])
    }
}
