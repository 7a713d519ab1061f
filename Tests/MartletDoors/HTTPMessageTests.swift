import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// What a message may say, and how everything wrong with one comes back at once.
@Suite struct HTTPMessageTests {
    /// Path and code of each error, in order.
    static func errors(of body: String, key: String = "KEY") throws -> [String] {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(body, key: key))
        #expect(answer.status == 422)
        #expect(answer.body.contains(#""type":"/problems/invalid_message""#))
        #expect(bench.intake.submissions.isEmpty)
        try bench.end()
        // "path":"/to","code":"required"
        return answer.body.split(separator: #"{"path":""#).dropFirst().map { piece in
            let parts = piece.split(separator: #"""#, omittingEmptySubsequences: false)
            return "\(parts[0]) \(parts[4])"
        }
    }

    static func submission(_ body: String, key: String = "KEY") throws -> Submission {
        let bench = try DoorBench()
        try bench.send(post(body, key: key))
        let text = try bench.written().text
        guard let one = bench.intake.submissions.first else { throw DoorBenchFault(text: text) }
        try bench.end()
        return one
    }

    static func with(_ member: String, key: String = "KEY") throws -> [String] {
        try errors(of: #"{"to":"+447700900123","text":"a",\#(member)}"#, key: key)
    }

    @Test("All fields reach the core as they were sent")
    func all() throws {
        let one = try HTTPMessageTests.submission(
            #"{"to":"+447700900123","text":"Zażółć \"gęślą\" \u00e9\n\uD83D\uDE00","from":"HARBOUR","class":"otp","validity":3600,"reference":"r-é","channel":"sms"}"#
        )
        #expect(one.source == 7)
        #expect(one.to == PhoneNumber(digits: 447_700_900_123))
        #expect(one.text == "Zażółć \"gęślą\" é\n😀")
        #expect(one.from == "HARBOUR")
        #expect(one.messageClass == .otp)
        #expect(one.validity == 3600)
        #expect(one.reference == "r-é")
        #expect(one.receivedAt == FakeIntake().instant)
    }

    @Test("A message may ask to be shown at once, and to take the place of one before it; anything but true and false is wrong")
    func wishes() throws {
        let start = #"{"to":"+447700900123","text":"a""#
        #expect(try HTTPMessageTests.submission(start + "}").wishes == [])
        #expect(try HTTPMessageTests.submission(start + #","flash":true}"#).wishes == .flash)
        #expect(try HTTPMessageTests.submission(start + #","replaceIfPresent":true,"flash":false}"#).wishes == .replacesPending)
        #expect(try HTTPMessageTests.submission(start + #","flash":null,"replaceIfPresent":null}"#).wishes == [])
        #expect(try HTTPMessageTests.with(#""flash":"true""#) == ["/flash wrong_type"])
        #expect(
            try HTTPMessageTests.with(#""replaceIfPresent":1,"flash":[true]"#) == ["/replaceIfPresent wrong_type", "/flash wrong_type"])
    }

    @Test("What is left out, or null, comes from the source and the class")
    func defaults() throws {
        for body in [
            #"{"to":"+447700900123","text":"a"}"#,
            #" { "text" : "a" , "from":null,"class":null,"validity":null,"reference":null,"channel":null, "to" : "+447700900123" } "#,
        ] {
            let one = try HTTPMessageTests.submission(body)
            #expect(one.from == "HARBOUR")
            #expect(one.messageClass == .transactional)
            #expect(one.validity == MessageClass.transactional.validity)
            #expect(one.reference == "")
        }
        let tight = try HTTPMessageTests.submission(#"{"to":"+447700900123","text":"a","from":"4477"}"#, key: "TIGHT")
        #expect(tight.messageClass == .otp)
        #expect(tight.validity == MessageClass.otp.validity)
    }

    @Test("Escaped names and values mean the same")
    func escapes() throws {
        let one = try HTTPMessageTests.submission(#"{"\u0074o":"\u002b447700900123","text":"\u0061"}"#)
        #expect(one.to.digits == 447_700_900_123)
        #expect(one.text == "a")
    }

    @Test("Everything wrong with a message comes back at once, in the order of the body, then what is missing")
    func allAtOnce() throws {
        let body =
            #"{"txt":"hello","to":"0770 0900123","class":"otpp","validity":0,"from":"much too long a name","reference":"\#(String(repeating: "r", count: 65))","channel":"pigeon"}"#
        #expect(
            try HTTPMessageTests.errors(of: body) == [
                "/txt unknown_field", "/to invalid_number", "/class unknown_class", "/validity validity_out_of_range",
                "/from invalid_sender",
                "/reference too_long", "/channel unknown_channel", "/text required",
            ])
    }

    @Test("The problem of a message with errors is as in its golden file, and repeats no value of it")
    func golden() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(
            to: post(#"{"to":"447700900123","txt":"secret text","from":"[x]","class":"transaktional","validity":"1h","channel":"push"}"#))
        try HTTPStoryTests.expectGolden("http-problem-invalid-message.json", answer.body)
        for value in ["447700900123", "secret", "[x]", "1h", "transaktional"] { #expect(!answer.body.contains(value)) }
        try bench.end()
    }

    @Test("An empty object misses what is required, and the sender where the source has none")
    func missing() throws {
        #expect(try HTTPMessageTests.errors(of: "{}") == ["/to required", "/text required"])
        #expect(try HTTPMessageTests.errors(of: #"{"to":null,"text":null}"#) == ["/to required", "/text required"])
        #expect(try HTTPMessageTests.errors(of: "{}", key: "TIGHT") == ["/to required", "/text required", "/from required"])
    }

    @Test(
        "A number that is not E.164 says which rule it breaks",
        arguments: [
            ("447700900123", "begin with +"), ("", "begin with +"), ("+", "at least 7"), ("+123456", "at least 7"),
            ("+1234567890123456", "at most 15"), ("+0447700900", "0 after"), ("+44 7700900123", "only digits"),
            ("+44770090012é", "only digits"),
            (" +447700900123", "begin with +"), ("++447700900123", "only digits"),
        ])
    func numbers(number: String, rule: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(#"{"to":"\#(number)","text":"a"}"#))
        #expect(answer.status == 422)
        #expect(answer.body.contains(rule))
        if number.utf8.count > 3 { #expect(!answer.body.contains(number)) }
        try bench.end()
    }

    @Test(
        "A text without anything to read is refused",
        arguments: ["", " ", #"\n\t\r\f "#, "\u{A0}\u{3000}\u{2028}"])
    func blank(text: String) throws {
        #expect(try HTTPMessageTests.errors(of: #"{"to":"+447700900123","text":"\#(text)"}"#) == ["/text blank_text"])
    }

    @Test("A text with a control character is refused", arguments: ["0000", "0001", "0008", "000b", "001b", "001f", "007f"])
    func control(code: String) throws {
        #expect(try HTTPMessageTests.errors(of: #"{"to":"+447700900123","text":"a\u\#(code)"}"#) == ["/text control_character"])
        #expect(try HTTPMessageTests.with(#""reference":"a\u\#(code)""#) == ["/reference control_character"])
    }

    @Test("A text may have line feed, carriage return, tab and form feed, and be of wide letters only")
    func textTaken() throws {
        #expect(try HTTPMessageTests.submission(#"{"to":"+447700900123","text":"a\n\r\t\f"}"#).text == "a\n\r\t\u{0C}")
        #expect(try HTTPMessageTests.submission(#"{"to":"+447700900123","text":"　本"}"#).text == "　本")
    }

    @Test(
        "Sender ids are digits, or up to eleven characters of the GSM alphabet with a letter",
        arguments: [
            ("H", true), ("HARBOUR", true), ("Harbour 24!", true), ("A&B-C.D_E", true), ("$harbour@", true), ("1", true),
            ("123456789012345", true), ("4Pay", true),
            ("", false), ("1234567890123456", false), ("HARBOURBANK1", false), ("+4477009001", false), ("[bank]", false), ("ba`nk", false),
            ("bank~", false), ("b^k", false), ("{b}", false), ("b|k", false), (" bank", false), ("bank ", false), ("!!!", false),
            ("bänk", false), ("银行", false),
            ("12 34", false),
        ])
    func senders(sender: String, isOne: Bool) throws {
        #expect(MessageShape.isSender(sender) == isOne)
        if isOne {
            #expect(try HTTPMessageTests.submission(#"{"to":"+447700900123","text":"a","from":"\#(sender)"}"#).from == sender)
        } else {
            #expect(try HTTPMessageTests.with(#""from":"\#(sender)""#) == ["/from invalid_sender"])
        }
    }

    @Test("Sender ids and classes beyond the source's are refused")
    func notAllowed() throws {
        #expect(
            try HTTPMessageTests.with(#""from":"OTHER","class":"marketing""#, key: "TIGHT") == [
                "/from sender_not_allowed", "/class class_not_allowed",
            ])
    }

    @Test("Every class has its word", arguments: MessageClass.allCases)
    func classes(messageClass: MessageClass) throws {
        let one = try HTTPMessageTests.submission(#"{"to":"+447700900123","text":"a","class":"\#(messageClass.word)"}"#)
        #expect(one.messageClass == messageClass)
    }

    @Test(
        "A validity is a whole number of seconds up to seven days",
        arguments: [
            ("0", "validity_out_of_range"), ("-5", "validity_out_of_range"), ("604801", "validity_out_of_range"),
            ("99999999999999999999", "validity_out_of_range"), ("1.5", "wrong_type"), ("1e3", "wrong_type"), ("\"60\"", "wrong_type"),
            ("true", "wrong_type"), ("[60]", "wrong_type"), ("{}", "wrong_type"),
        ])
    func validity(value: String, code: String) throws {
        #expect(try HTTPMessageTests.with(#""validity":\#(value)"#) == ["/validity \(code)"])
    }

    @Test("The ends of the range of validity are taken", arguments: [1, 604_800])
    func validityEnds(seconds: Int64) throws {
        #expect(try HTTPMessageTests.submission(#"{"to":"+447700900123","text":"a","validity":\#(seconds)}"#).validity == seconds)
    }

    @Test("Strings have to be strings", arguments: ["to", "text", "from", "class", "reference", "channel"])
    func types(field: String) throws {
        for value in ["1", "true", "[]", #"{"a":[1]}"#] {
            let found = try HTTPMessageTests.errors(of: #"{"\#(field)":\#(value)}"#)
            #expect(found.first == "/\(field) wrong_type")
            #expect(!found.contains("/\(field) required"))
        }
    }

    @Test(
        "A channel that is known but not served reads otherwise than one that is not known",
        arguments: MessageRules.knownChannels.dropFirst())
    func channels(channel: String) throws {
        #expect(try HTTPMessageTests.with(#""channel":"\#(channel)""#) == ["/channel channel_off"])
        #expect(try HTTPMessageTests.with(#""channel":"\#(channel)x""#) == ["/channel unknown_channel"])
    }

    @Test(
        "An unknown field is named, with the one that was probably meant",
        arguments: [
            ("txt", "text"), ("From", "from"), ("validty", "validity"), ("refernece", "reference"), ("chanel", "channel"),
            ("clas", "class"), ("ot", "to"),
        ])
    func suggestions(name: String, meant: String) throws {
        #expect(MessageRules.unknownField(name).message.hasSuffix("did you mean \(meant)?"))
        #expect(MessageRules.unknownField(name).path == "/\(name)")
    }

    @Test("A name far from all gets no suggestion, and is a pointer of at most 64 bytes")
    func farNames() {
        #expect(MessageRules.unknownField("priority").message == "is not a field of a message")
        #expect(MessageRules.unknownField("").path == "/")
        #expect(MessageRules.unknownField("a/b~c").path == "/a~1b~0c")
        let long = MessageRules.unknownField(String(repeating: "x", count: 500))
        #expect(long.path.utf8.count == 1 + 64 + 3)
        #expect(MessageRules.nearest("Otp", in: MessageClass.allCases.map(\.word)) == "otp")
    }

    @Test("Errors are listed up to a limit, and the list says that there are more")
    func manyErrors() throws {
        let body = "{" + (0..<100).map { #""f\#($0)":1"# }.joined(separator: ",") + "}"
        let found = try HTTPMessageTests.errors(of: body)
        #expect(found.count == HTTPLimit.fieldErrors + 1)
        #expect(found.last == " too_many_errors")
    }

    @Test(
        "A body that is not JSON is 400 and says where, without its content",
        arguments: [
            "", " ", "{", "{\"to\":\"+447700900123\",}", "{\"text\":\"secret}", "{}x", "{'to':1}", "{\"to\":tru}", "\u{FEFF}{}",
            "{\"a\":1,\"a\":2}",
            "{\"text\":\"\\ud800\"}", "{\"validity\":01}", "{\"validity\":1.}", "NaN", "{\"x\":" + String(repeating: "[", count: 40),
        ])
    func malformed(body: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(body))
        #expect(answer.status == 400)
        #expect(answer.body.contains("/problems/malformed_json"))
        #expect(answer.body.contains("at byte "))
        #expect(!answer.body.contains("secret"))
        #expect(bench.isOpen)
        try bench.end()
    }

    @Test("A body that is not UTF-8 is 400")
    func notUTF8() throws {
        let bench = try DoorBench()
        var bytes = ByteBuffer(string: post(#"{"to":"+447700900123","text":"aaaaa"}"#))
        bytes.setInteger(UInt8(0xFF), at: bytes.readableBytes - 4)
        try bench.send(bytes)
        #expect(try bench.answers().first?.body.contains("not valid UTF-8") == true)
        try bench.end()
    }

    @Test("A request without a body is 400")
    func noBody() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get("/v1/messages", method: "POST", extra: "Content-Type: application/json\r\n"))
        #expect(answer.status == 400)
        #expect(answer.body.contains("the body is empty"))
        try bench.end()
    }

    @Test("JSON that is no object is 422", arguments: ["[]", "1", "null", "\"a\"", "true", "[{\"to\":1}]"])
    func noObject(body: String) throws {
        #expect(try HTTPMessageTests.errors(of: body) == [" wrong_type"])
    }
}
