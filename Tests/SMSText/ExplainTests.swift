import SMSText
import Testing

@Suite("Part counter for people")
struct ExplainTests {
    @Test("A plain text has nothing to name and nothing to offer")
    func plain() throws {
        let explained = try SMSText.explain("Your code is 4821")
        #expect(explained.forcing.isEmpty && explained.offers.isEmpty)
        #expect(explained.unitsInLastPart == 17)
        #expect(explained.unitsLeftInLastPart == 143)
        #expect(explained.summary == "1 part of GSM 7-bit, 17 units, 17 in the last part, 143 left")
        #expect(try SMSText.explain("").unitsLeftInLastPart == 160)
    }

    @Test("Letters that force UCS-2 are named with their number, places and nearest spelling")
    func letters() throws {
        let text = "\u{201C}Code\u{201D} \u{2013} it\u{2019}s 4821\u{2026} it\u{2019}s yours" + String(repeating: "x", count: 60)
        let explained = try SMSText.explain(text)
        #expect(explained.plan.alphabet == .ucs2)
        #expect(explained.plan.parts == 2)
        #expect(explained.forcing.map(\.codePoint) == ["U+201C", "U+201D", "U+2013", "U+2019", "U+2026"])
        #expect(explained.forcing.map(\.cheaper) == ["\"", "\"", "-", "'", "..."])
        #expect(explained.forcing[3].count == 2)
        #expect(explained.forcing[3].positions == [11, 22])
        let offer = try #require(explained.offers.first)
        #expect(offer.spelling == .typographic)
        #expect(offer.plan.parts == 1)
        #expect(offer.plan.alphabet == .gsm7)
        #expect(offer.text.hasPrefix("\"Code\" - it's 4821... it's yours"))
        #expect(explained.offers.count == 1)
        #expect(explained.summary.hasSuffix("; 5 letters force it"))
    }

    @Test("Units of the last part are counted by the real cuts")
    func lastPart() throws {
        let gsm = try SMSText.explain(String(repeating: "a", count: 152) + "€" + "bbbbbbbb")
        #expect(gsm.unitsInLastPart == 10)
        #expect(gsm.unitsLeftInLastPart == 143)
        let cyrillic = try SMSText.explain(String(repeating: "ж", count: 135))
        #expect(cyrillic.unitsInLastPart == 1)
        #expect(cyrillic.unitsLeftInLastPart == 66)
        #expect(cyrillic.summary == "3 parts of UCS-2, 135 units, 1 in the last part, 66 left; 1 letter forces it")
        let turkish = try SMSText.explain(String(repeating: "ş", count: 150), TextOptions(alphabets: [.gsm7, .turkishLocking]))
        #expect(turkish.plan.parts == 1)
        #expect(turkish.unitsLeftInLastPart == 5)
        #expect(turkish.forcing.first?.cheaper == "s")
    }

    @Test("A look-alike in a Latin word is offered, a letter of a Cyrillic word is not")
    func lookAlikes() throws {
        let hidden = try SMSText.explain("Your c\u{43E}de")
        #expect(hidden.forcing.first?.cheaper == "o")
        #expect(hidden.offers.first?.spelling == .typographic)
        #expect(hidden.offers.first?.text == "Your code")
        let plain = try SMSText.explain("Ваш код")
        #expect(plain.forcing.allSatisfy { $0.cheaper == nil })
        #expect(plain.offers.map(\.spelling) == [.latin])
        #expect(plain.offers.first?.text == "Vash kod")
        #expect(try SMSText.explain("Ваш код її").offers.first?.text == "Vash kod yii")
    }

    @Test("Offers come from the least change to the greatest, each cheaper than the one before")
    func order() throws {
        let text = "Zażółć \u{2013} " + String(repeating: "a", count: 70)
        let explained = try SMSText.explain(text)
        #expect(explained.plan.parts == 2)
        #expect(explained.offers.map(\.spelling) == [.baseLetters])
        #expect(explained.offers.first?.plan.parts == 1)
        #expect(explained.forcing.first { $0.scalar == "ż" }?.cheaper == "z")
        #expect(try SMSText.explain("paid 😀").offers.isEmpty)
        #expect(try SMSText.explain("Call \u{200E}112\u{200E} now, e\u{302}").forcing.map(\.cheaper) == ["", ""])
        // No offer is tried with an alphabet that the operator does not take.
        #expect(try SMSText.explain("ж", TextOptions(alphabets: [.ucs2])).offers.isEmpty)
        #expect(throws: TextFault.noAlphabet) { try SMSText.explain("ж", TextOptions(alphabets: [.gsm7])) }
    }

    @Test("What is named is bounded: 64 letters, 16 places of each")
    func bounds() throws {
        let many = String(String.UnicodeScalarView((0x4E00..<0x4E00 + 100).compactMap { Unicode.Scalar($0 as Int) }))
        let explained = try SMSText.explain(many + String(repeating: "\u{4E00}", count: 40))
        #expect(explained.forcing.count == 64)
        #expect(explained.furtherForcing == 36)
        #expect(explained.forcing[0].count == 41)
        #expect(explained.forcing[0].positions.count == 16)
        #expect(explained.summary.contains("64 or more letters force it"))
    }

    @Test("Against other alphabets the letters they lack are named")
    func otherAlphabets() throws {
        let latin = try SMSText.explain("5 € ê", TextOptions(alphabets: [.latin1, .ucs2]))
        #expect(latin.wanted == .latin1)
        #expect(latin.forcing.map(\.scalar) == ["€"])
        let ascii = try SMSText.explain("é[", TextOptions(alphabets: [.ascii, .ucs2]))
        #expect(ascii.forcing.map(\.scalar) == ["é"])
    }
}

@Suite("Transliteration")
struct TransliterationTests {
    @Test("Ukrainian names as in the examples of the official table")
    func ukrainian() {
        let examples = [
            "Алушта": "Alushta", "Андрій": "Andrii", "Борщагівка": "Borshchahivka", "Вінниця": "Vinnytsia", "Гадяч": "Hadiach",
            "Згурський": "Zghurskyi", "Ґалаґан": "Galagan", "Дон": "Don", "Рівне": "Rivne", "Єнакієве": "Yenakiieve", "Гаєвич": "Haievych",
            "Житомир": "Zhytomyr", "Закарпаття": "Zakarpattia", "Медвин": "Medvyn", "Іршава": "Irshava", "Їжакевич": "Yizhakevych",
            "Кадиївка": "Kadyivka", "Йосипівка": "Yosypivka", "Стрий": "Stryi", "Харків": "Kharkiv", "Біла Церква": "Bila Tserkva",
            "Шостка": "Shostka", "Гоща": "Hoshcha", "Юрій": "Yurii", "Корюківка": "Koriukivka", "Яготин": "Yahotyn",
            "Костянтин": "Kostiantyn",
            "Знам'янка": "Znamianka", "Знам\u{2019}янка": "Znamianka", "Згорани": "Zghorany", "Розгон": "Rozghon", "ЩУКА": "SHCHUKA",
            "Щ": "Shch", "БОРЩ": "BORSHCH", "Івано-Франківськ": "Ivano-Frankivsk", "и\u{306} і\u{308}": "y yi", "'Київ'": "'Kyiv'",
        ]
        for (name, latin) in examples { #expect(Transliteration.ukrainian.apply(to: name) == latin) }
        #expect(Transliteration.ukrainian.apply(to: "Ваш код: 4821, дійсний 3 хв.") == "Vash kod: 4821, diisnyi 3 khv.")
        #expect(Transliteration.ukrainian.apply(to: "Zażółć 😀") == "Zażółć 😀")
    }

    @Test("Russian as in passports")
    func russian() {
        let examples = [
            "Ваш код подтверждения": "Vash kod podtverzhdeniia", "Щукин": "Shchukin", "ЩУКИН": "SHCHUKIN",
            "Юлия Яковлева": "Iuliia Iakovleva",
            "Объезд": "Obieezd", "Ёлкин, ёлка": "Elkin, elka", "Эхо": "Ekho", "мышь": "mysh", "Майор": "Maior", "Цой": "Tsoi",
            "Чехов": "Chekhov",
            "объявление'": "obieiavlenie'", "Љубав, џез": "Ljubav, dzez",
            "у\u{306}рад І\u{308}жак Е\u{308}ж И\u{306}о У\u{306}": "urad Izhak Ezh Io U",
        ]
        for (name, latin) in examples { #expect(Transliteration.russian.apply(to: name) == latin) }
    }

    @Test("Typographic signs become those of a keyboard; everything else stays")
    func typographic() {
        #expect(Transliteration.typographic.apply(to: "«Код» \u{2014} 4821\u{2026}\u{A0}№ 5\u{200B}") == "\"Код\" - 4821... No 5")
        #expect(Transliteration.typographic.apply(to: "100 ₴ \u{FF21}\u{FF11} ½ `a`\tb") == "100 UAH A1 1/2 'a' b")
        #expect(Transliteration.typographic.apply(to: "Zażółć €") == "Zażółć €")
    }

    @Test("Marks go where GSM 7-bit lacks the letter, and stay where it has it")
    func baseLetters() {
        #expect(Transliteration.baseLetters.apply(to: "Zażółć gęślą jaźń, Łódź") == "Zazolc gesla jazn, Lodz")
        #expect(Transliteration.baseLetters.apply(to: "é ñ ö Å ç Ç ß œ ı ə") == "é ñ ö Å c Ç ß oe i e")
        #expect(Transliteration.baseLetters.apply(to: "Mã xác nhận của bạn") == "Ma xac nhan cua ban")
        let decomposed = Transliteration.baseLetters.apply(to: "e\u{301} e\u{302} e\u{323}\u{302} \u{301}")
        #expect(Array(decomposed.unicodeScalars) == Array("e\u{301} e e \u{301}".unicodeScalars))
        for row in ["ąčęėįšųūž", "ăâîșțşţ", "őű", "ğışİ", "áéíóúýčďěňřšťůž"] {
            #expect(SMSText.plan(Transliteration.baseLetters.apply(to: row)).alphabet == .gsm7)
        }
    }

    @Test("Look-alikes go from mixed words and Greek capitals, and stay in words of their own script")
    func lookAlikes() {
        #expect(Transliteration.lookAlikes.apply(to: "Pа\u{443}Pal, Visа!") == "PayPal, Visa!")
        #expect(Transliteration.lookAlikes.apply(to: "Ваш код") == "Ваш код")
        #expect(Transliteration.lookAlikes.apply(to: "Прiвет") == "Прiвет")
        #expect(SMSText.plan(Transliteration.lookAlikes.apply(to: "Ο ΚΩΔΙΚΟΣ ΣΑΣ 4821")).alphabet == .gsm7)
        #expect(Transliteration.lookAlikes.apply(to: "Καλημέρα") == "Καλημέρα")
    }

    @Test("Steps are done one after the other; each leaves what it made alone")
    func steps() {
        let all: [Transliteration] = [.typographic, .lookAlikes, .baseLetters, .ukrainian]
        let once = Transliteration.apply(all, to: "«Ваш код» \u{2013} żółw")
        #expect(once == "\"Vash kod\" - zolw")
        #expect(Transliteration.apply(all, to: once) == once)
        #expect(Transliteration.apply([], to: "ж") == "ж")
        for step in Transliteration.allCases { #expect(step.apply(to: "") == "") }
    }
}
