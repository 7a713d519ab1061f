import Guard
import MartletModel
import NIOCore
import NIOHTTP1

/// Everything that can be said of a request before its body: path, method, key, certificate, scope, type. One stands at each connection,
/// for all its streams, and remembers the credentials that proved right last.
final class HTTPGate {
    /// With the source they belong to, and the generation of the directory then.
    private var known: (credentials: String, source: AuthenticatedSource, generation: UInt64)?
    /// The certificate that the client showed in the TLS handshake; nil: none.
    private let certificate: () -> ClientCertificate?

    /// - Parameter certificate: asked only where a source is bound to certificates.
    init(certificate: @escaping () -> ClientCertificate?) { self.certificate = certificate }

    /// - Returns: where the request goes and for whom; with a problem, it goes nowhere.
    func examine(
        _ head: HTTPRequestHead, _ facts: HTTPHeadFacts, sources: any SourceDirectory
    ) -> (route: HTTPRoute, source: AuthenticatedSource?, problem: HTTPProblem?) {
        let (route, hasQuery) = HTTPRoute.reading(head.uri)
        var source: AuthenticatedSource?
        let problem = problem(head, facts, route, hasQuery, sources, &source)
        return (route, source, problem)
    }

    private func problem(
        _ head: HTTPRequestHead, _ facts: HTTPHeadFacts, _ route: HTTPRoute, _ hasQuery: Bool, _ sources: any SourceDirectory,
        _ found: inout AuthenticatedSource?
    ) -> HTTPProblem? {
        guard let allowed = route.allowed else { return HTTPProblem(HTTPErrors.notFound) }
        let posts = route.posts
        guard head.method == (posts ? .POST : .GET) else {
            return HTTPProblem(HTTPErrors.methodNotAllowed, allow: "\(allowed)")
        }
        guard let credentials = facts.authorization else { return .unauthenticated }
        let source: AuthenticatedSource
        switch authenticate(credentials, sources) {
        case .source(let it): source = it
        case .unknown: return .invalidKey
        case .otherCertificate: return .certificateMismatch
        }
        found = source
        if let scope = route.scopes.first(where: { !source.may($0) }) { return .scopeMissing(scope) }
        if facts.expectsSomethingElse { return HTTPProblem(HTTPErrors.expectationFailed) }
        if hasQuery { return HTTPProblem(HTTPErrors.queryNotSupported) }
        switch route {
        case .submit, .event:
            guard facts.isJSON else { return HTTPProblem(HTTPErrors.unsupportedMediaType) }
        case .batch, .events:
            guard facts.isLines else { return HTTPProblem(HTTPErrors.unsupportedMediaType) }
        case .search, .explain, .replay: return facts.isJSON ? nil : HTTPProblem(HTTPErrors.unsupportedMediaType)
        case .cancel:
            // A second try does what the first did, so a key for it does no harm. The body, if any, is an empty object.
            return facts.isJSON || !facts.hasBody ? nil : HTTPProblem(HTTPErrors.unsupportedMediaType)
        case .state, .trace: return nil
        case .unknownMessage, .nowhere: return HTTPProblem(HTTPErrors.notFound)
        }
        guard let key = facts.idempotencyKey else { return nil }
        guard Idempotency.isKey(key), !facts.hasSecondIdempotencyKey else { return HTTPProblem(HTTPErrors.invalidIdempotencyKey) }
        return nil
    }

    /// The directory is asked when the credentials or its generation are others than those of the last request.
    private func authenticate(_ credentials: String, _ sources: any SourceDirectory) -> Judgement {
        let generation = sources.generation
        if let known, known.generation == generation, HTTPGate.same(known.credentials, credentials) {
            return .source(known.source)
        }
        guard let key = HTTPHeadFacts.bearer(credentials), let source = sources.source(presenting: key) else { return .unknown }
        guard source.certificates.isEmpty || CertificateRule.holds(source.certificates, of: certificate()) else { return .otherCertificate }
        let found = AuthenticatedSource(source)
        known = (credentials, found, generation)
        return .source(found)
    }

    private enum Judgement {
        case source(AuthenticatedSource)
        case unknown
        /// The key is right, the certificate of the connection is not one that its source is bound to.
        case otherCertificate
    }

    /// In a time that does not tell where they differ: behind a proxy, a connection may carry requests of several callers.
    private static func same(_ a: String, _ b: String) -> Bool {
        var a = a
        var b = b
        return a.withUTF8 { x in
            b.withUTF8 { y in
                guard x.count == y.count else { return false }
                var difference: UInt8 = 0
                for place in x.indices { difference |= x[place] ^ y[place] }
                return difference == 0
            }
        }
    }
}

/// A source as a connection keeps it, with the answers it asks for most.
final class AuthenticatedSource {
    let source: Source
    let number: SourceNumber
    private let maySend: Bool
    private let mayRead: Bool

    init(_ source: Source) {
        self.source = source
        number = source.number
        maySend = source.scopes.contains(.send)
        mayRead = source.scopes.contains(.read)
    }

    func may(_ scope: Source.Scope) -> Bool {
        switch scope {
        case .send: maySend
        case .read: mayRead
        }
    }
}

/// Stands between TLS and the decoder and tells the connection that plaintext came.
final class HTTPByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let connection: HTTPConnection

    init(_ connection: HTTPConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesCame = true
        context.fireChannelRead(data)
    }
}
