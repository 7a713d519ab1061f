import MartletModel
import Testing

@Suite("Mask") struct MaskTests {
    @Test(
        "A number shows country and last four digits; a short one less",
        arguments: [
            (447_700_900_123, "+44•••••0123"), (48_500_000_12, "+48•••••12"), (44_123_456, "+44•••••56"), (1_234_567, "+•••••"),
            (12, "+•••••"),
        ])
    func numbers(digits: UInt64, shown: String) {
        #expect(PhoneNumber(digits: digits).masked == shown)
    }

    @Test(
        "Of a reference, a name and a mail address too little is shown to learn them, and of short ones nothing",
        arguments: [
            ("40-118-220", "•••20", "4•••"), ("4020", "•••20", "4•••"), ("402", "•••", "4•••"), ("40", "•••", "4•••"), ("Ż", "•••", "•••"),
            ("", "•••", ""),
        ])
    func texts(text: String, reference: String, name: String) {
        #expect(Mask.reference(text) == reference)
        #expect(Mask.name(text) == name)
        #expect(Mask.mail("\(text)@mail.example") == "\(name)@mail.example")
    }

    @Test("What is no mail address shows nothing")
    func none() {
        #expect(Mask.mail("wanda") == "•••")
    }

    @Test("Never more than half of a number is shown, however long it is", arguments: 1...15)
    func half(length: Int) {
        let digits = UInt64(String(repeating: "7", count: length)) ?? 0
        #expect(Mask.number(PhoneNumber(digits: digits)).filter(\.isNumber).count * 2 <= length)
    }
}
