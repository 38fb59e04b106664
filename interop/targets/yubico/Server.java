import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.yubico.webauthn.*;
import com.yubico.webauthn.data.*;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.*;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * java-webauthn-server behind routes like those of its demo: a request ID ties the two requests
 * of a ceremony, a cookie says who is signed in; accounts and sessions in memory. It listens on
 * loopback, says where, and ends with its standard input.
 */
public final class Server implements CredentialRepository {
  static final ObjectMapper JSON = new ObjectMapper();
  static final SecureRandom RANDOM = new SecureRandom();

  record User(String name, ByteArray handle, Map<ByteArray, RegisteredCredential> keys) {}

  record Registration(User user, PublicKeyCredentialCreationOptions options) {}

  static final class Refusal extends Exception {
    final int status;

    Refusal(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  interface Route {
    JsonNode answer(String session, JsonNode body) throws Exception;
  }

  final Map<String, User> users = new HashMap<>(); // by name
  final Map<String, User> signedIn = new HashMap<>(); // by cookie
  final Map<String, Registration> registrations = new HashMap<>(); // by request ID
  final Map<String, AssertionRequest> assertions = new HashMap<>(); // by request ID
  final Map<String, Route> routes =
      Map.of(
          "POST /api/v1/register", this::register,
          "POST /api/v1/register/finish", this::registerFinish,
          "POST /api/v1/authenticate", this::authenticate,
          "POST /api/v1/authenticate/finish", this::authenticateFinish,
          "POST /api/v1/delete-credential", this::delete,
          "POST /api/v1/logout", this::logout,
          "GET /api/v1/account", this::account);
  final String origin;

  Server(String origin) {
    this.origin = origin;
  }

  public static void main(String[] args) throws IOException {
    System.setProperty("sun.net.httpserver.nodelay", "true"); // the body's packet would wait for 40 ms
    HttpServer http = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    String origin = "http://localhost:" + http.getAddress().getPort();
    Server server = new Server(origin);
    http.createContext("/", server::handle);
    http.start();
    System.out.println("listening on " + origin);
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  RelyingParty relyingParty(String attestation) {
    return RelyingParty.builder()
        .identity(RelyingPartyIdentity.builder().id("localhost").name("java-webauthn-server").build())
        .credentialRepository(this)
        .origins(Set.of(origin))
        .attestationConveyancePreference(AttestationConveyancePreference.valueOf(attestation.toUpperCase(Locale.ROOT)))
        .build();
  }

  JsonNode register(String session, JsonNode body) throws Exception {
    String name = body.get("username").asText();
    User user = users.get(name);
    if (user != null && signedIn.get(session) != user) {
      throw new Refusal(403, "this account is somebody else's");
    }
    if (user == null) {
      user = new User(name, random(), new LinkedHashMap<>());
    }
    PublicKeyCredentialCreationOptions options =
        relyingParty(body.get("attestation").asText())
            .startRegistration(
                StartRegistrationOptions.builder()
                    .user(UserIdentity.builder().name(name).displayName(body.get("displayName").asText()).id(user.handle).build())
                    .authenticatorSelection(
                        AuthenticatorSelectionCriteria.builder().residentKey(ResidentKeyRequirement.PREFERRED).build())
                    .build());
    String id = random().getBase64Url();
    registrations.put(id, new Registration(user, options));
    return begun(id, options.toCredentialsCreateJson());
  }

  JsonNode registerFinish(String session, JsonNode body) throws Exception {
    Registration begun = registrations.remove(body.get("requestId").asText());
    if (begun == null) {
      throw new Refusal(400, "no ceremony was begun");
    }
    RegistrationResult made =
        relyingParty("none")
            .finishRegistration(
                FinishRegistrationOptions.builder()
                    .request(begun.options)
                    .response(PublicKeyCredential.parseRegistrationResponseJson(body.get("credential").toString()))
                    .build());
    User user = begun.user;
    if (users.getOrDefault(user.name, user) != user || !lookupAll(made.getKeyId().getId()).isEmpty()) {
      throw new Refusal(409, "this account or credential is somebody else's");
    }
    user.keys.put(
        made.getKeyId().getId(),
        RegisteredCredential.builder()
            .credentialId(made.getKeyId().getId())
            .userHandle(user.handle)
            .publicKeyCose(made.getPublicKeyCose())
            .signatureCount(made.getSignatureCount())
            .backupEligible(made.isBackupEligible())
            .backupState(made.isBackedUp())
            .build());
    users.put(user.name, user);
    signedIn.put(session, user);
    return JSON.createObjectNode().put("success", true);
  }

  JsonNode authenticate(String session, JsonNode body) throws Exception {
    StartAssertionOptions.StartAssertionOptionsBuilder options = StartAssertionOptions.builder();
    if (body.hasNonNull("username")) {
      String name = body.get("username").asText();
      if (!users.containsKey(name)) {
        throw new Refusal(404, "no such user");
      }
      options.username(name);
    }
    AssertionRequest request = relyingParty("none").startAssertion(options.build());
    String id = random().getBase64Url();
    assertions.put(id, request);
    return begun(id, request.toCredentialsGetJson());
  }

  JsonNode authenticateFinish(String session, JsonNode body) throws Exception {
    AssertionRequest request = assertions.remove(body.get("requestId").asText());
    if (request == null) {
      throw new Refusal(400, "no ceremony was begun");
    }
    AssertionResult result =
        relyingParty("none")
            .finishAssertion(
                FinishAssertionOptions.builder()
                    .request(request)
                    .response(PublicKeyCredential.parseAssertionResponseJson(body.get("credential").toString()))
                    .build());
    if (!result.isSuccess()) {
      throw new Refusal(400, "not verified");
    }
    User user = users.get(result.getUsername());
    user.keys.put(
        result.getCredentialId(),
        result.getCredential().toBuilder().signatureCount(result.getSignatureCount()).backupState(result.isBackedUp()).build());
    signedIn.put(session, user);
    return JSON.createObjectNode().put("success", true);
  }

  JsonNode account(String session, JsonNode body) throws Exception {
    User user = signedIn(session);
    ObjectNode answer = JSON.createObjectNode().put("username", user.name);
    for (RegisteredCredential key : user.keys.values()) {
      answer
          .withArray("credentials")
          .addObject()
          .put("credentialId", key.getCredentialId().getBase64Url())
          .put("signatureCount", key.getSignatureCount())
          .put("backupEligible", key.isBackupEligible().orElse(false))
          .put("backupState", key.isBackedUp().orElse(false));
    }
    return answer;
  }

  JsonNode delete(String session, JsonNode body) throws Exception {
    if (signedIn(session).keys.remove(ByteArray.fromBase64Url(body.get("credentialId").asText())) == null) {
      throw new Refusal(404, "no such credential");
    }
    return JSON.createObjectNode().put("success", true);
  }

  JsonNode logout(String session, JsonNode body) {
    signedIn.remove(session);
    return JSON.createObjectNode().put("success", true);
  }

  User signedIn(String session) throws Refusal {
    User user = signedIn.get(session);
    if (user == null) {
      throw new Refusal(401, "nobody is signed in");
    }
    return user;
  }

  static JsonNode begun(String id, String options) throws IOException {
    return JSON.createObjectNode().put("requestId", id).set("options", JSON.readTree(options));
  }

  static ByteArray random() {
    byte[] bytes = new byte[32];
    RANDOM.nextBytes(bytes);
    return new ByteArray(bytes);
  }

  synchronized void handle(HttpExchange exchange) throws IOException {
    String cookie = Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Cookie"), "");
    String session = Pattern.compile("session=([\\w-]+)").matcher(cookie).results().map(m -> m.group(1)).findFirst().orElse(random().getBase64Url());
    int status = 200;
    JsonNode answer;
    try {
      Route route = routes.get(exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath());
      if (route == null) {
        throw new Refusal(404, "no such route");
      }
      answer = route.answer(session, JSON.readTree(exchange.getRequestBody()));
    } catch (Exception e) {
      status = e instanceof Refusal r ? r.status : 400;
      answer = JSON.createObjectNode().put("success", false).putPOJO("messages", List.of(String.valueOf(e.getMessage())));
    }
    byte[] text = answer.toString().getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Set-Cookie", "session=" + session + "; Path=/; HttpOnly; SameSite=Lax");
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, text.length);
    exchange.getResponseBody().write(text);
    exchange.close();
  }

  @Override
  public Set<PublicKeyCredentialDescriptor> getCredentialIdsForUsername(String name) {
    return users.containsKey(name)
        ? users.get(name).keys.keySet().stream().map(id -> PublicKeyCredentialDescriptor.builder().id(id).build()).collect(Collectors.toSet())
        : Set.of();
  }

  @Override
  public Optional<ByteArray> getUserHandleForUsername(String name) {
    return Optional.ofNullable(users.get(name)).map(User::handle);
  }

  @Override
  public Optional<String> getUsernameForUserHandle(ByteArray handle) {
    return users.values().stream().filter(u -> u.handle.equals(handle)).map(User::name).findFirst();
  }

  @Override
  public Optional<RegisteredCredential> lookup(ByteArray id, ByteArray handle) {
    return lookupAll(id).stream().filter(c -> c.getUserHandle().equals(handle)).findFirst();
  }

  @Override
  public Set<RegisteredCredential> lookupAll(ByteArray id) {
    return users.values().stream().map(u -> u.keys.get(id)).filter(Objects::nonNull).collect(Collectors.toSet());
  }
}
