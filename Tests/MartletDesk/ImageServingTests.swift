import Foundation
import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: pictures over HTTP") struct ImageServingTests {
    @Test("A picture is uploaded with a key and shown to everybody, never changing and never taken for something else; HEAD has no body")
    func serving() async throws {
        try await DeskRig.with(
            .sqlite,
            making: { desk in
                let world = Rulebooks.World(
                    folder: RulebookFolder("/nonexistent"), surroundings: { Rulebook.Surroundings() },
                    pictureAddress: { "https://img.bank.example" })
                return [ImageRoutes(Images(Rulebooks(Units(desk, rowKey: ReferenceRig.rowKey), world)))]
            }
        ) { rig in
            let key = try await rig.key("anna")
            let gif = String(decoding: Pictures.gif(60, 40), as: UTF8.self)
            let added = try await rig.ask(
                "POST", "/v1/images?title=A%20dot", key: key, ["Content-Type": "image/gif"], body: gif)
            #expect(added.status == 201 && added.headers["location"] == "/v1/images/1", "\(added)")
            let path = try #require(added.json["path"] as? String)
            #expect(added.json["link"] as? String == "https://img.bank.example\(path)" && added.json["title"] as? String == "A dot")
            #expect(added.json["width"] as? Int == 60 && added.json["height"] as? Int == 40 && added.json["size"] as? Int == gif.utf8.count)

            let shown = try await rig.ask("GET", path)
            #expect(shown.status == 200 && shown.body == gif && shown.headers["content-type"] == "image/gif")
            #expect(shown.headers["x-content-type-options"] == "nosniff")
            #expect(shown.headers["cache-control"] == "public, max-age=31536000, immutable")
            #expect(shown.headers["content-security-policy"] == "default-src 'none'")
            let head = try await rig.ask("HEAD", path)
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == String(gif.utf8.count))
            #expect(head.headers["content-type"] == "image/gif")

            // Whatever else is asked for there is not there.
            for wrong in ["/i/x", "/i/\(String(repeating: "A", count: 43))", "\(path)A", "\(path)/x", "/i/", "/i/..%2Fopenapi.json"] {
                let missing = try await rig.ask("GET", wrong)
                #expect(missing.status == 404 && missing.headers["cache-control"] == "no-store", "\(wrong)")
            }
            let gone = try await rig.ask("HEAD", "\(path)A")
            #expect(gone.status == 404 && gone.body.isEmpty)
            let posted = try await rig.ask("POST", path)
            #expect(posted.status == 405 && posted.headers["allow"] == "GET, HEAD")
            let other = try await rig.ask("HEAD", "/v1/images", key: key)
            #expect(other.status == 405 && other.body.isEmpty)
            let nowhere = try await rig.ask("HEAD", "/nowhere")
            #expect(nowhere.status == 404 && nowhere.body.isEmpty)

            #expect(try await rig.ask("POST", "/v1/images?title=T", body: gif).status == 401)
            let wide = try await rig.ask("POST", "/v1/images?title=T&unit=x", key: key, body: gif)
            #expect(wide.status == 422 && wide.errors == ["/unit type"])
            let svg = try await rig.ask("POST", "/v1/images?title=T", key: key, body: "<svg/>")
            #expect(svg.status == 422 && svg.errors == [" unknown_format"])
            let large = try await rig.ask(
                "POST", "/v1/images?title=T", key: key, body: String(repeating: "a", count: ImageHead.bytesMost + 1))
            #expect(large.status == 413 && large.json["detail"] as? String == "a picture has at most 1048576 bytes")

            #expect(try await rig.ask("GET", "/v1/images", key: key).items.count == 1)
            #expect(try await rig.ask("GET", "/v1/images/1", key: key).json["users"] as? [String] == [])
            #expect(try await rig.ask("DELETE", "/v1/images/1", key: key).status == 204)
            #expect(try await rig.ask("GET", path).status == 404)
            #expect(try await rig.ask("GET", "/v1/images/1", key: key).status == 404)
        }
    }
}
