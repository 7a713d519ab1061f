import MartletModel

/// `/v1/images`: pictures of texts; and `/i/`, where customers' devices find them.
public struct ImageRoutes: APINoun {
    let images: Images

    public init(_ images: Images) { self.images = images }

    struct Document: Codable, APIExplained {
        var number: Int64
        var path: String
        var link: String?
        var title: String
        var unit: Int64?
        var type: String
        var width: Int
        var height: Int
        var size: Int
        var hash: String
        var owner: String
        var createdAt: String
        var users: [String]

        static let explained = [
            "path": APIField("What texts say: the address below the bank's host."),
            "link": APIField("Where customers find it; not there: `images.address` is not set."), "size": APIField("Bytes."),
            "hash": APIField("SHA-256 of the bytes."),
            "users": APIField("Texts that show it, by their newest version or in the newest release; while there are any it stays."),
        ]

        init(_ image: StoredImage, address: String?) {
            (number, path, title, unit) = (image.number, image.path, image.title, image.unit)
            link = address.map { $0 + image.path }
            (type, width, height, size) = (image.head.kind.mediaType, image.head.width, image.head.height, image.size)
            (hash, owner, createdAt) = (RulebookFile.hex(image.hash), image.owner, timestamp(image.createdAt * 1000))
            users = image.users
        }
    }

    private static let one = APISchema.of(Document.self, "Image")
    private static let types = ImageKind.allCases.map(\.mediaType)
    private static let add = APIOperation(
        .post, "/v1/images", "Uploads a picture for texts",
        note: "The body is the file: PNG, JPEG or GIF, by its own bytes; at most \(ImageHead.bytesMost) bytes, and \(ImageHead.pixelsMost) "
            + "pixels on either side. Texts then name it by `path`.",
        [.writeRulebook],
        query: [
            APIParameter("title", "What people call it, 1 to 120 bytes."),
            APIParameter(
                "unit", "Whose it is; not there: the caller's, or the whole bank's.",
                .map(["type": .text("integer"), "minimum": .integer(1)])),
        ],
        file: types, status: 201, answer: .json(one), refuses: [APIErrors.conflict])
    private static let list = APIOperation(
        .get, "/v1/images", "Pictures, with the texts that show them", [.readRulebook], query: APIParameter.page,
        answer: .json(.page(of: Document.self, "Image")))
    private static let get = APIOperation(
        .get, "/v1/images/{number}", "One picture, without its bytes", [.readRulebook], answer: .json(one))
    private static let delete = APIOperation(
        .delete, "/v1/images/{number}", "Deletes a picture that no text shows", [.writeRulebook], status: 204, answer: .nothing,
        refuses: [APIErrors.conflict])
    private static let show = APIOperation(
        .get, "/i/{name}", "A picture, for customers' devices",
        note: "Nothing of it ever changes, so it may be kept for good. HEAD is answered too.", answer: .file(types),
        refuses: [APIErrors.broken, APIErrors.tampered, APIErrors.storeAway, APIErrors.starting, APIErrors.timeLimit], isOpen: true)

    public static let operations = [add, list, get, delete, show]

    public func add(to routes: inout APIRoutes) {
        let images = images
        routes.on(ImageRoutes.add, bodyLimit: ImageHead.bytesMost) { ask in
            var unit: Int64?
            if let text = ask.query["unit"] {
                unit = Int64(text)
                if unit == nil { throw DeskFault.invalid([FieldFault("unit", "type", "it is not a number")]) }
            }
            let type = ask.header("content-type")?.split(separator: ";").first.map { String($0).trimmed.lowercased() }
            let image = try await images.add(
                try await ImageRoutes.bytes(ask), title: ask.query["title"] ?? "", unit: unit, type: type, by: ask.caller)
            return .json(try document(image), status: 201, location: "/v1/images/\(image.number)")
        }
        routes.on(ImageRoutes.list) { ask in
            let page = try await images.list(try ask.page(), by: ask.caller)
            let address = try images.rulebooks.pictureAddress()
            return .page(page) { Document($0, address: address) }
        }
        routes.on(ImageRoutes.get) { ask in
            .json(try document(try await images.get(try ask.number(of: "image"), by: ask.caller)))
        }
        routes.on(ImageRoutes.delete) { ask in
            try await images.delete(try ask.number(of: "image"), by: ask.caller)
            return .done()
        }
        routes.on(ImageRoutes.show) { ask in
            let (kind, bytes) = try await images.content(ask.part("name"))
            return APIAnswer(
                headers: [
                    APIHeader("Content-Type", kind.mediaType), APIHeader("X-Content-Type-Options", "nosniff"),
                    APIHeader("Cache-Control", "public, max-age=31536000, immutable"),
                    APIHeader("Content-Security-Policy", "default-src 'none'"),
                ], body: .bytes(bytes))
        }
    }

    private func document(_ image: StoredImage) throws(DeskFault) -> Document {
        Document(image, address: try images.rulebooks.pictureAddress())
    }

    /// The limit of a picture is named by the refusal, for it is not that of other bodies.
    private static func bytes(_ ask: APIRequest) async throws -> [UInt8] {
        do {
            return try await ask.bytes()
        } catch let problem as APIProblem where problem.code.code == APIErrors.bodyTooLarge.code {
            throw APIProblem(APIErrors.bodyTooLarge, detail: "a picture has at most \(ImageHead.bytesMost) bytes")
        }
    }
}
