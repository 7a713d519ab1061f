import Dispatch
import Journal
import MartletEngine
public import MartletModel
import NIOCore

/// Searches read the index and the log; they wait for no one and nobody but searches waits for them.
private let finding = DispatchQueue(label: "martlet.search")

extension Node {
    /// Searches at once; beyond it callers are told to try later.
    private static let searchMaximum = 64

    public func search(_ search: MessageSearch, source: SourceNumber, then: @escaping (Result<SearchPage, SearchFault>) -> Void) {
        guard searchesInFlight < Node.searchMaximum else { return then(.failure(.busy)) }
        searchesInFlight += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        let answer = NIOLoopBound(then, eventLoop: loop)
        let loop = self.loop
        let walk = walk(search, source)
        finding.async {
            let result = Node.hits(walk)
            loop.execute { bound.value.found(result, answer) }
        }
    }

    /// The newest message to this number that was accepted at `since` (wall microseconds) or later, whoever sent it; nil when there is
    /// none. Answers on the loop.
    public func latest(to number: PhoneNumber, since: Int64, then: @escaping (Result<LatestMessage?, SearchFault>) -> Void) {
        guard searchesInFlight < Node.searchMaximum else { return then(.failure(.busy)) }
        searchesInFlight += 1
        let bound = NIOLoopBound(self, eventLoop: loop)
        let answer = NIOLoopBound(then, eventLoop: loop)
        let loop = self.loop
        let walk = walk(MessageSearch(to: number, from: since, limit: 1), nil)
        finding.async {
            let hits = Node.hits(walk)
            loop.execute {
                bound.value.searchesInFlight -= 1
                answer.value(hits.map { $0.hits.first.map { LatestMessage(id: $0.id, source: $0.source, at: $0.at) } })
            }
        }
    }

    func walk(_ search: MessageSearch, _ source: SourceNumber?) -> SearchWalk {
        // Of the two, a reference is the rarer.
        var hash: UInt64 = 0
        if let to = search.to { hash = lookups.number(to) }
        if let reference = search.reference, let source { hash = lookups.reference(reference, of: source) }
        return SearchWalk(
            search: search, source: source, hash: hash, journal: parts.journal, reader: parts.reader, keys: parts.recordKeys,
            recent: parts.recent
        )
    }

    private static func hits(_ walk: SearchWalk) -> Result<SearchWalk.Page, SearchFault> {
        walk.recent.catchUp()
        guard walk.recent.search.isReady else { return .failure(.busy) }
        var walk = walk
        do throws(SearchFault) { return .success(try walk.run()) } catch { return .failure(error) }
    }

    /// Where the newest record of each message stands and whether it is on the wire is the loop's to say; then the stories are read.
    private func found(
        _ result: Result<SearchWalk.Page, SearchFault>, _ answer: NIOLoopBound<(Result<SearchPage, SearchFault>) -> Void>
    ) {
        guard case .success(let page) = result, !page.hits.isEmpty else {
            searchesInFlight -= 1
            return answer.value(result.map { SearchPage(stories: [], next: $0.next) })
        }
        // A record that is not durable yet is not told of: the one before it is, as it was a commit ago.
        let wanted = page.hits.map { hit in
            let live = engine.last(of: hit.id).flatMap { $0 != 0 && $0 < durableEnd ? $0 : nil }
            let others = engine.lastOfOthers(of: hit.id).filter { $0.value < durableEnd }
            return (id: hit.id, live: live, submitted: engine.isSubmitted(hit.id), others: others)
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, keys, recent) = (parts.reader, parts.recordKeys, parts.recent)
        finding.async {
            var told: Result<SearchPage, SearchFault> = .success(SearchPage(stories: [], next: page.next))
            var stories: [Story] = []
            for item in wanted {
                guard let position = item.live ?? recent.find(item.id) else { continue }
                let story = Storyteller.tell(item.id, from: position, submitted: item.submitted, journal: journal, keys: keys) {
                    item.others[$0] ?? recent.find($0)
                }
                switch story {
                case .success(let story): if let story { stories.append(story) }
                case .failure(let fault): told = .failure(.unreadable(fault.reason))
                }
            }
            told = told.map { SearchPage(stories: stories, next: $0.next) }
            loop.execute { [told] in
                bound.value.searchesInFlight -= 1
                answer.value(told)
            }
        }
    }
}
