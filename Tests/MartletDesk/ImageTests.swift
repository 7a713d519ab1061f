import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// Pictures as bytes, as small as they can be.
enum Pictures {
    static func big(_ number: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(number >> (8 * (count - 1 - $0)) & 255) } }

    static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] { big(data.count, 4) + Array(type.utf8) + data + [0, 0, 0, 0] }

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func png(_ width: Int, _ height: Int, depth: UInt8 = 8, colour: UInt8 = 6) -> [UInt8] {
        signature + chunk("IHDR", big(width, 4) + big(height, 4) + [depth, colour, 0, 0, 0]) + chunk("IDAT", [1, 2, 3]) + chunk("IEND", [])
    }

    static func jpeg(_ width: Int, _ height: Int, frame: UInt8 = 0xC2) -> [UInt8] {
        let comment: [UInt8] = [0xFF, 0xFE, 0, 5, 0xFF, 0xC0, 9]
        let size: [UInt8] = [0xFF, frame, 0, 11, 8] + big(height, 2) + big(width, 2) + [1, 1, 0x11, 0]
        return [0xFF, 0xD8] + comment + [0xFF] + size + [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 7, 7, 0xFF, 0xD9]
    }

    /// All of its bytes are ASCII while the sides are short.
    static func gif(_ width: Int, _ height: Int, table: Bool = false) -> [UInt8] {
        func little(_ number: Int) -> [UInt8] { [UInt8(number & 255), UInt8(number >> 8)] }
        return Array("GIF89a".utf8) + little(width) + little(height) + [table ? 0x80 : 0, 0, 0]
            + (table ? Array(repeating: 9, count: 6) : [])
            + [0x21, 0x01, 2, 7, 7, 0] + [0x2C, 0, 0, 0, 0] + little(width) + little(height) + [0, 2, 2, 0x44, 1, 0, 0x3B]
    }
}

@Suite("Desk: heads of pictures") struct ImageHeadTests {
    private static func fault(_ bytes: [UInt8]) -> String {
        do throws(FieldFault) {
            _ = try ImageHead(reading: bytes)
            return ""
        } catch {
            return "\(error.path) \(error.code)"
        }
    }

    @Test("Kind and size are read from the bytes of each kind")
    func sound() throws {
        #expect(try ImageHead(reading: Pictures.png(640, 4096)) == ImageHead(kind: .png, width: 640, height: 4096))
        for frame: UInt8 in [0xC0, 0xC1, 0xC2, 0xCF] {
            #expect(try ImageHead(reading: Pictures.jpeg(4096, 17, frame: frame)) == ImageHead(kind: .jpeg, width: 4096, height: 17))
        }
        for table in [false, true] {
            #expect(try ImageHead(reading: Pictures.gif(300, 200, table: table)) == ImageHead(kind: .gif, width: 300, height: 200))
        }
        #expect(ImageKind.allCases.map(\.mediaType) == ["image/png", "image/jpeg", "image/gif"])
    }

    @Test("What is larger than it may be, of another kind, or not whole is refused, and the refusal says which limit")
    func refused() {
        for make in [{ Pictures.png($0, $1) }, { Pictures.jpeg($0, $1) }, { Pictures.gif($0, $1) }] {
            #expect(Self.fault(make(4097, 1)) == "width too_large")
            #expect(Self.fault(make(1, 4097)) == "height too_large")
            #expect(Self.fault(make(0, 1)) == "width required" && Self.fault(make(1, 0)) == "height required")
            let whole = make(20, 10)
            // Every beginning of it is not all of it; the end of a JPEG is found in its scan.
            for count in 8..<whole.count - 1 {
                #expect(["damaged", "unknown_format"].contains { Self.fault(Array(whole[..<count])).hasSuffix($0) })
            }
        }
        #expect(Self.fault(Array(repeating: 0, count: ImageHead.bytesMost + 1)) == " too_large")
        #expect(Self.fault([]) == " unknown_format" && Self.fault(Array("BM....".utf8)) == " unknown_format")
        #expect(Self.fault(Array("<?xml version='1.0'?><SVG onload='x()'/>".utf8)) == " unknown_format")
        let svg = #expect(throws: FieldFault.self) { _ = try ImageHead(reading: Array("<svg/>".utf8)) }
        #expect(svg?.message.contains("SVG") == true)

        #expect(Self.fault(Pictures.png(2, 2, depth: 3)) == " damaged" && Self.fault(Pictures.png(2, 2, depth: 4, colour: 2)) == " damaged")
        #expect(Self.fault(Pictures.png(2, 2) + [0]) == " damaged", "something is behind its end")
        #expect(
            Self.fault(
                Pictures.signature + Pictures.chunk("IHDR", Pictures.big(2, 4) + Pictures.big(2, 4) + [8, 6, 0, 0, 0])
                    + Pictures.chunk("IEND", [])) == " damaged", "nothing is painted")
        var jpeg = Pictures.jpeg(2, 2)
        jpeg[2] = 0
        #expect(Self.fault(jpeg) == " unknown_format")
        #expect(Self.fault([0xFF, 0xD8, 0xFF, 0xD9, 0xFF, 0xC0]) == " damaged")
        #expect(Self.fault([0xFF, 0xD8, 0xFF, 0xC0, 0, 4, 1, 1, 0xFF, 0xDA, 0, 2, 0xFF, 0xD9]) == " damaged")
        #expect(Self.fault([0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 1, 7, 7]) == " damaged")
        var gif = Pictures.gif(20, 10)
        // A picture that reaches beyond its screen.
        gif[20] = 5
        #expect(Self.fault(gif) == " damaged")
        #expect(Self.fault(Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0, 0x3B, 0]) == " damaged")
        #expect(Self.fault(Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0, 0x77, 0]) == " damaged")
    }
}

@Suite("Desk: pictures") struct ImagesTests {
    @Test(
        "A picture is uploaded, found by its name, named by texts, and deleted while none shows it; its number is never given again",
        arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            let images = Images(rig.rulebooks)
            let png = Pictures.png(64, 32)
            let one = try await images.add(png, title: "Logo", unit: nil, type: "image/png", by: TextRig.anna)
            #expect(one.number == 1 && ImagePath.isName(one.name) && one.head == ImageHead(kind: .png, width: 64, height: 32))
            let two = try await images.add(Pictures.gif(5, 5), title: "Dot", unit: nil, by: TextRig.bert)
            #expect(two.number == 2 && two.name != one.name)
            for _ in 0..<2 {
                let shown = try await images.content(one.name)
                #expect(shown.kind == .png && shown.bytes == png)
            }
            let page = try await images.list(try PageWish(limit: 1), by: TextRig.anna)
            #expect(page.items.map(\.title) == ["Logo"] && page.next != nil)

            let push = #"""
                {"channel": "push", "form": "rich", "standard": "en", "texts": {"en": {"title": "T", "preview": "P", "body": "B", "fallback": "F", "image": "IMAGE"}}}
                """#
            var wish = TextWish(event: "paid", channel: "push")
            wish.template = "paid"
            wish.objects = [
                .init(
                    kind: .template, key: "push.paid",
                    content: try JSONValue(reading: Array(push.replacing("IMAGE", with: one.path).utf8), maximumBytes: 10_000))
            ]
            let text = try await rig.rulebooks.preview(text: wish, of: rig.customers.customers, by: TextRig.anna)
            #expect(TextDocument(text).fields["image"] == "https://img.bank.example\(one.path)")
            let named = try await rig.rulebooks.save(
                .template, "push.paid", try TextRig.wish(push.replacing("IMAGE", with: one.path)), version: nil, by: TextRig.anna)
            #expect(!named.findings.contains { $0.path.hasSuffix("image") }, "\(named.findings)")
            #expect(try await images.get(1, by: TextRig.anna).users == ["template/push.paid"])
            let used = await ReferenceRig.fault { try await images.delete(1, by: TextRig.anna) }
            #expect(used == .conflict(field: "image", reason: "it is used by template/push.paid"))
            _ = try await rig.publish()
            // A newer draft does not free what the release shows.
            try await rig.save(
                .template, "push.paid", push.replacing("IMAGE", with: "https://img.bank.example/a.png"), version: 1)
            #expect(try await images.list(try PageWish(), by: TextRig.anna).items.map(\.users) == [["template/push.paid"], []])
            _ = try await rig.publish(base: 1)
            try await images.delete(1, by: TextRig.anna)
            #expect(await ReferenceRig.fault { _ = try await images.content(one.name) }?.paths == ["there is no picture of this name"])
            #expect(await ReferenceRig.fault { _ = try await images.get(1, by: TextRig.anna) } == .notFound(noun: "image", key: "1"))
            #expect(await ReferenceRig.fault { try await images.delete(1, by: TextRig.anna) } == .notFound(noun: "image", key: "1"))
            try await images.delete(2, by: TextRig.anna)
            #expect(try await images.add(png, title: "Again", unit: nil, by: TextRig.anna).number == 3)
            #expect(
                try await ReferenceRig.audit(rig.desk).filter { $0.hasPrefix("image") } == [
                    "image.added image/1 done", "image.added image/2 done", "image.deleted image/1 done", "image.deleted image/2 done",
                    "image.added image/3 done",
                ])

            // Going back to a release whose picture is gone, and pictures of strangers, are refused.
            let gone = await ReferenceRig.fault {
                _ = try await rig.rulebooks.rollBack(to: 1, note: "back", base: 2, by: TextRig.anna)
            }
            #expect(gone.map { "\($0)".contains("template/push.paid$.texts.en.image: there is no such picture") } == true)
            for (address, message) in [
                ("https://evil.example/a.png", "it is a picture on another host than the bank's"),
                ("https://img.bank.example@evil.example/a.png", "it is no address that customers may be sent to"),
                ("https://img.bank.example\\\\@evil.example/a.png", "it is no address that customers may be sent to"),
                ("/i/short", "it is no address that customers may be sent to"),
                ("/i/\(String(repeating: "A", count: 43))", "there is no such picture"),
            ] {
                let saved = try await rig.rulebooks.save(
                    .template, "push.other", try TextRig.wish(push.replacing("IMAGE", with: address)),
                    version: try? await rig.rulebooks.get(.template, "push.other", by: TextRig.anna).version, by: TextRig.anna)
                #expect(saved.findings.contains { $0.path == "template/push.other$.texts.en.image" && $0.message == message }, "\(address)")
            }
        }
    }

    @Test("What is no picture, or nobody's to give, is refused with every reason", arguments: SQLStore.Engine.allCases)
    func refused(engine: SQLStore.Engine) async throws {
        try await TextRig.with(engine) { rig in
            let images = Images(rig.rulebooks)
            let png = Pictures.png(64, 32)
            func fault(
                _ bytes: [UInt8], title: String = "T", unit: Int64? = nil, type: String? = nil, by: Caller = TextRig.anna
            ) async -> [String] {
                await ReferenceRig.fault { _ = try await images.add(bytes, title: title, unit: unit, type: type, by: by) }?.paths ?? []
            }
            #expect(await fault([1], title: " ") == ["title required", " unknown_format"])
            #expect(await fault(png, type: "image/gif") == ["Content-Type unknown"])
            #expect(await fault(png, unit: 9) == ["unit unknown"])
            var foreign = TextRig.anna
            foreign.unit = 3
            #expect(await fault(png, unit: 4, by: foreign) == ["unit foreign"])
            foreign.rights = [.readRulebook]
            #expect(await fault(png, by: foreign) == ["the right rulebook.write is needed"])

            let image = try await images.add(png, title: "T", unit: nil, type: "application/octet-stream", by: TextRig.anna)
            foreign.rights = [.readRulebook, .writeRulebook]
            #expect(await ReferenceRig.fault { try await images.delete(image.number, by: foreign) }?.paths == ["unit foreign"])
            try await ReferenceRig.tamper(rig.desk, "UPDATE image SET size = 1")
            #expect(
                await ReferenceRig.fault { _ = try await images.get(image.number, by: TextRig.anna) } == .tampered(noun: "image", key: "1"))
            try await ReferenceRig.tamper(rig.desk, "UPDATE image SET size = \(png.count)")
            try await ReferenceRig.tamper(
                rig.desk, engine == .sqlite ? "UPDATE image SET content = x'00'" : #"UPDATE image SET content = '\x00'"#)
            #expect(await ReferenceRig.fault { _ = try await images.content(image.name) } == .tampered(noun: "image", key: "1"))
        }
    }

    @Test("A name that was never given is known as such without the store; the cache keeps what is asked for within its bound")
    func names() throws {
        let (names, others) = (ImageNames(ReferenceRig.rowKey), ImageNames(.init(Array(repeating: 8, count: 32))))
        let name = names.make()
        #expect(names.hold(name) && !others.hold(name) && names.make() != name)
        for place in [0, 10, 30, 41] {
            var letters = Array(name)
            letters[place] = letters[place] == "A" ? "B" : "A"
            #expect(!names.hold(String(letters)))
        }
        for wrong in ["", String(name.dropLast()), name + "A", String(repeating: "%", count: 43), String(repeating: "A", count: 43)] {
            #expect(!names.hold(wrong))
        }
        // The last letter has bits that mean nothing: only one way of writing them is a name.
        let last = try #require(name.last)
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" where letter != last {
            #expect(!names.hold(String(name.dropLast()) + String(letter)))
        }

        let cache = ImageCache(most: 10)
        for (name, count) in [("a", 4), ("b", 4), ("b", 4), ("c", 3), ("d", 11)] {
            cache.keep(name, (.gif, Array(repeating: 1, count: count)))
        }
        #expect(["a", "b", "c", "d"].map { cache.content($0) != nil } == [false, true, true, false])
        cache.forget("b")
        cache.forget("b")
        cache.keep("e", (.png, Array(repeating: 1, count: 7)))
        #expect(["b", "c", "e"].map { cache.content($0) != nil } == [false, true, true])
    }
}
