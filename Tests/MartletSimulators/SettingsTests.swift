import SMSText
import Testing

@testable import MartletSimulators

@Suite("The settings of the simulated world")
struct SettingsTests {
    /// Builds a map with lines 1, 2, 3...
    private func map(_ pairs: KeyValuePairs<String, Loose>, from line: Int = 1) -> Loose {
        Loose(.map(pairs.enumerated().map { Loose.Entry(key: $1.key, line: line + $0, value: $1.value) }), line: line)
    }

    private func text(_ text: String) -> Loose { Loose(.text(text)) }
    private func integer(_ number: Int) -> Loose { Loose(.integer(number)) }

    @Test("Everything that can be said is taken over")
    func whole() throws {
        let smsc = map([
            "name": text("north-1"), "host": text("127.0.0.1"), "port": integer(3000), "systemId": text("bank"), "password": text("pw"),
            "window": integer(10), "seed": integer(42), "keep": integer(7), "duplicateWindow": integer(0),
            "dataCodings": map(["ascii": integer(1), "latin1": integer(2), "cyrillic": integer(5), "ucs2": integer(9), "gsm7": integer(17)]
            ),
            "dataCodingZero": text("latin1"),
            "behaviour": map(["delayMs": integer(5)]),
        ])
        let file = map(["admin": map(["host": text("localhost"), "port": integer(4000)]), "smsc": Loose(.list([smsc]))])
        var behaviour = Behaviour()
        behaviour.delayMs = 5
        var alphabets = AlphabetProfile(zero: .latin1)
        (alphabets.ascii, alphabets.latin1, alphabets.cyrillic, alphabets.ucs2, alphabets.gsm7) = (1, 2, 5, 9, 17)
        let expected = SMSCSettings(
            name: "north-1", port: 3000, systemId: "bank", password: "pw", window: 10, seed: 42, keep: 7, duplicateWindow: 0,
            alphabets: alphabets, behaviour: behaviour)
        #expect(try SimulatorSettings.read(file) == SimulatorSettings(adminHost: "localhost", adminPort: 4000, smscs: [expected]))
    }

    @Test("All mistakes are told at once, each with its line")
    func mistakes() {
        let smsc = map(
            [
                "name": text("North!"), "port": integer(70_000), "colour": text("red"), "dataCodingZero": text("utf8"),
                "dataCodings": map(["morse": integer(1), "gsm7": integer(256)], from: 24),
                "behaviour": map(["delayMs": integer(-1), "silent": text("x")], from: 20),
            ], from: 10)
        let file = map(
            ["admin": map(["port": text("x"), "colour": text("red")], from: 5), "smsc": Loose(.list([smsc])), "more": text("")], from: 30)
        let error = #expect(throws: SettingsMistakes.self) { try SimulatorSettings.read(file) }
        let told = error?.mistakes.map { "\($0.line) \($0.field)" }
        #expect(
            told == [
                "5 admin.port", "6 admin.colour", "10 smsc[0].name", "11 smsc[0].port", "12 smsc[0].colour", "13 smsc[0].dataCodingZero",
                "20 smsc[0].behaviour.delayMs", "21 smsc[0].behaviour.silent", "24 smsc[0].dataCodings.morse",
                "25 smsc[0].dataCodings.gsm7", "32 more",
            ])
        #expect(error?.mistakes.first?.description.hasPrefix("admin.port: must be a whole number") == true)
    }

    @Test("A file without operators, with twins or of another shape is refused")
    func shapes() {
        func fields(_ file: Loose) -> [String] {
            do throws(SettingsMistakes) {
                _ = try SimulatorSettings.read(file)
                return []
            } catch {
                return error.mistakes.map { $0.field }
            }
        }
        func smsc(_ name: String, _ port: Int) -> Loose { map(["name": text(name), "port": integer(port)]) }
        #expect(fields(map([:])) == ["smsc"])
        #expect(fields(Loose(.list([]))) == ["settings"])
        #expect(fields(map(["smsc": Loose(.list([]))])) == ["smsc"])
        #expect(fields(map(["smsc": Loose(.list([smsc("a", 1), smsc("a", 2)]))])) == ["smsc[1].name"])
        #expect(fields(map(["smsc": Loose(.list([smsc("a", 1), smsc("b", 1)]))])) == ["smsc[1].port"])
        #expect(fields(map(["smsc": Loose(.list([smsc("a", 0), smsc("b", 0)]))])) == [])
        #expect(fields(map(["smsc": Loose(.list([map(["port": integer(1)])]))])) == ["smsc[0].name"])
        #expect(fields(map(["smsc": Loose(.list([text("x")]))])) == ["smsc[0]"])
    }

    @Test("A port open beyond this machine needs a reason")
    func beyond() throws {
        let smsc = map(["name": text("a"), "host": text("0.0.0.0")])
        let open = map(["smsc": Loose(.list([smsc])), "admin": map(["host": text("10.0.0.1")])])
        let error = #expect(throws: SettingsMistakes.self) { try SimulatorSettings.read(open) }
        #expect(error?.mistakes.map { $0.field }.sorted() == ["admin.host", "smsc[0].host"])
        let told = map(["smsc": Loose(.list([smsc])), "plaintextReason": text("a lab network of its own")])
        #expect(try SimulatorSettings.read(told).plaintextReason == "a lab network of its own")
    }
}
