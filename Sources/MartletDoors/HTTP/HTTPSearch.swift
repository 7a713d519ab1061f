import MartletModel
import NIOCore

/// `POST /v1/messages:search`.
extension HTTPConnection {
    func search(_ body: ByteBuffer?, _ source: AuthenticatedSource) {
        let search: MessageSearch
        switch SearchReading.read(body ?? ByteBuffer()) {
        case .problem(let problem):
            open(Place(answer: .problem(problem), headOnly: false))
            return
        case .search(let found): search = found
        }
        let number = open(Place(answer: nil, headOnly: false))
        let owner = source.number
        door.intake.search(search, source: owner) { result in
            switch result {
            case .success(let page):
                var own = page
                own.stories.removeAll { $0.source != owner }
                self.answer(number, .document(own.document(of: search, self.door.intake.catalogue)))
            case .failure(.busy): self.answer(number, .problem(HTTPProblem(HTTPErrors.searchBusy, retryAfterSeconds: 1)))
            case .failure(.unreadable): self.answer(number, .problem(HTTPProblem(HTTPErrors.storyUnreadable, retryAfterSeconds: 5)))
            }
        }
    }
}

extension SearchPage {
    /// The state document of each message, and where to go on.
    func document(of search: MessageSearch, _ catalogue: EventCatalogue = .empty) -> ByteBuffer {
        var json = JSONWriter(capacity: 256 + stories.count * 768)
        json.object { json in
            json.key("messages")
            json.array { json in
                for story in stories { story.stateDocument(catalogue).withUnsafeReadableBytes { json.raw($0) } }
            }
            json.member("next", next?.text(of: search))
        }
        return json.sink.bytes
    }
}
