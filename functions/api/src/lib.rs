//! The HTTP API, with two entrances: one for programs of the account (IAM), one for people with a token
//! (JWT).
//!
//! `answer` handles a request step by step. The `router` finds the route, `caller` identifies the caller
//! and the tenant, and `tenancy` checks permissions. `once` looks for an earlier answer, and the route's
//! file in `routes` does the work. Errors are `application/problem+json` (RFC 9457). `openapi.yaml`
//! describes the API.
//!
//! The API writes recipients with the same versions as bus events and the CLI's import. The latest
//! update wins, whatever its origin. The API sends no notification itself: events go to the bus, retries
//! to dispatch, and manual messages for an endpoint to the webhook queue.

mod access;
mod caller;
mod changes;
mod cloudevents;
mod config;
mod limits;
mod once;
mod page;
mod problem;
mod request;
mod response;
mod router;
mod routes;
mod tenancy;
mod token_rules;
mod unsubscribe;

use std::sync::OnceLock;

use aws_types::SdkConfig;
use domain::Timestamp;
use domain::event::producers::Producers;
use domain::inbox::View;
use domain::recipient::Recipient;
use domain::recipient::unsubscribe::Keys;
use domain::webhook::endpoint::target::Allow;
use kms::SecretCipher;
use publish::EventBridge;
use queue::{Queue, Sqs};
use runtime::now;
use sns::{Applications, Devices};
use sockets::{Sessions, UnreadCounts};
use store::{Connections, Counters, Endpoints, Events, Inbox, Ledger, People};

use access::Subject;
use caller::{Caller, Scope};
use limits::Gate;
use once::{Found as Before, IdempotentRequest};
use problem::Problem;
use router::{Found, find};
use tenancy::{Grant, Relation, Role};

pub use caller::Issuer;
pub use config::Config;
pub use limits::Limits;
pub use request::{MAX_BODY_BYTES, Request};
pub use response::Response;
pub use router::{Operation, ROUTES, Route, Who};
pub use token_rules::{DEFAULT_LIFETIME, NotAClaim, RequiredClaim, TokenRules};
pub use unsubscribe::{OPEN, Pages, UNSUBSCRIBED};

/// The back end of the HTTP API.
pub struct Api {
    people: People,
    counters: Counters,
    connections: Connections,
    ledger: Ledger,
    events: Events,
    inbox: Inbox,
    badges: UnreadCounts,
    sessions: Sessions,
    endpoints: Endpoints,
    /// The audit queue, for access records.
    audit: Queue,
    secrets_key: String,
    cipher: OnceLock<SecretCipher>,
    dispatch: Queue,
    webhooks: Queue,
    /// The origins of endpoints that may be called at any address.
    allow: Allow,
    /// The origins of endpoints whose owners need not prove control, in addition to those of `allow`.
    vouched: Allow,
    gate: Gate,
    socket_url: String,
    issuer: Option<Issuer>,
    /// The keys of unsubscribe links in messages.
    links: Keys,
    /// The rights of each source on the bus.
    producers: Producers,
    /// The installation's own unsubscribe pages.
    pages: Pages,
    /// Whether a tenant sees the addresses of people who also belong to other tenants.
    shows_shared_addresses: bool,
    aws: SdkConfig,
    bus_name: String,
    /// The bus client, created on first use. Creating a client takes a fifth of the start-up time.
    bus: OnceLock<EventBridge>,
    applications: Applications,
    devices: OnceLock<Devices>,
}

/// A request with its route and caller.
struct ApiCall<'a> {
    operation: Operation,
    request: &'a Request,
    caller: &'a Caller,
    scope: &'a Scope,
    parameters: &'a [String],
    /// A name that is the same for every repeat of the request. Set only with an idempotency key.
    name: Option<String>,
    now: Timestamp,
}

impl ApiCall<'_> {
    /// A parameter of the path, by its index. The route's path defines their number.
    fn parameter(&self, at: usize) -> &str {
        self.parameters.get(at).map_or("", String::as_str)
    }

    /// Checks the caller's permission for an object with this relation to the caller.
    ///
    /// # Errors
    /// The problem to answer with.
    fn authorize(&self, relation: Relation) -> Result<Grant, Problem> {
        let role = Role::of(self.caller, self.scope);
        tenancy::authorize(self.operation, role, relation).map_err(|error| error.problem(self.operation))
    }

    /// Checks the caller's permission for a person, or for an unknown id.
    ///
    /// # Errors
    /// The problem to answer with.
    fn authorize_person(&self, person: Option<&Recipient>) -> Result<Grant, Problem> {
        self.authorize(Relation::of_person(person, self.caller, self.scope))
    }

    /// The view that the caller has of a user's messages. An admin has a read-only view of other users.
    fn view_of(&self, user: &str) -> View {
        match self.caller {
            Caller::Person(caller) if caller.user != user => View::Only(caller.tenant.clone()),
            Caller::Person(_) | Caller::Program(_) => View::own(self.scope.tenant().map(str::to_owned)),
        }
    }

    /// Whether a person requests their own data.
    fn is_own(&self) -> bool {
        matches!(self.caller, Caller::Person(caller) if caller.user == self.parameter(0))
    }
}

impl Api {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Api {
        let tables = store::client(aws);
        let queues = Sqs::new(aws);
        let connections = Connections::new(&tables, config.connections_table);
        let inbox = Inbox::new(&tables, config.inbox_table);
        Api {
            people: People::new(&tables, config.people_table).with_addresses(),
            counters: Counters::new(&tables, config.counters_table),
            badges: UnreadCounts::new(
                aws,
                config.socket_endpoint.clone(),
                connections.clone(),
                inbox.clone(),
            ),
            sessions: Sessions::new(aws, config.socket_endpoint, connections.clone()),
            connections,
            ledger: Ledger::new(&tables, config.ledger_table),
            events: Events::new(&tables, config.events_table),
            inbox,
            endpoints: Endpoints::new(&tables, config.endpoints_table),
            audit: Queue::new(&queues, config.audit_queue_url),
            secrets_key: config.secrets_key,
            cipher: OnceLock::new(),
            dispatch: Queue::new(&queues, config.dispatch_queue_url),
            webhooks: Queue::new(&queues, config.webhook_queue_url),
            allow: config.allow,
            vouched: config.vouched,
            gate: Gate::new(config.limits),
            socket_url: config.socket_url,
            issuer: config.issuer,
            links: config.links,
            producers: config.producers,
            pages: config.pages,
            shows_shared_addresses: config.shows_shared_addresses,
            aws: aws.clone(),
            bus_name: config.bus,
            bus: OnceLock::new(),
            applications: config.applications,
            devices: OnceLock::new(),
        }
    }

    fn producers(&self) -> &Producers {
        &self.producers
    }

    fn bus(&self) -> &EventBridge {
        self.bus.get_or_init(|| EventBridge::new(&self.aws, self.bus_name.clone()))
    }

    /// The cipher that encrypts secrets of endpoints. The function has no permission to decrypt them.
    fn cipher(&self) -> &SecretCipher {
        self.cipher.get_or_init(|| SecretCipher::new(&self.aws, self.secrets_key.clone()))
    }

    /// The device registration of SNS.
    fn devices(&self) -> &Devices {
        self.devices.get_or_init(|| Devices::new(&self.aws, self.applications.clone()))
    }

    /// Answers one request and writes its access record.
    pub async fn answer(&self, request: Request) -> Response {
        let now = now();
        let response = Box::pin(self.respond(&request)).await;
        let subject = Subject { request: &request, issuer: self.issuer.as_ref(), links: &self.links, now };
        let recorded = subject.record(&response);
        self.with_record(recorded, response).await
    }

    async fn respond(&self, request: &Request) -> Response {
        if let Some(token) = unsubscribe::token(request) {
            let languages = request.header("accept-language");
            return self.unsubscribe(request.method(), &token, languages).await.into();
        }
        let response = match self.try_answer(request).await {
            Ok(response) => response,
            Err(problem) => Response::problem(&problem, request.id()),
        };
        response.with("x-request-id", request.id().to_owned())
    }

    async fn try_answer(&self, request: &Request) -> Result<Response, Problem> {
        let now = now();
        let caller = Caller::of(request, self.issuer.as_ref(), now)?;
        let (route, parameters) = match find(request.method(), &request.path()) {
            Found::Route(route, parameters) => (route, parameters),
            Found::OtherMethods(methods) => {
                let detail = format!("this path answers to {}", methods.join(", "));
                let problem = Problem::new(405, "method_not_allowed", detail);
                return Ok(Response::problem(&problem, request.id()).with("allow", methods.join(", ")));
            }
            Found::Nothing => {
                return Err(Problem::new(404, "not_found", "there is no such path; openapi.yaml lists all"));
            }
        };
        request.check_query()?;
        let scope = caller.scope(request)?;
        let names_self = route.names_self(&caller, &parameters);
        tenancy::may_ask(route.operation, Role::of(&caller, &scope), names_self)
            .map_err(|refusal| refusal.problem(route.operation))?;
        let keyed = if route.once { IdempotentRequest::of(request, &caller, &scope, now)? } else { None };
        let name = keyed.as_ref().map(IdempotentRequest::name);
        let (caller, scope, parameters) = (&caller, &scope, &parameters[..]);
        let call = ApiCall { operation: route.operation, request, caller, scope, parameters, name, now };
        self.gate.admit(&self.counters, route.operation, &call).await?;
        let Some(keyed) = keyed else { return Box::pin(self.act(route.operation, &call)).await };
        if let Before::Answered(response) = keyed.begin(&self.counters, now).await? {
            return Ok(response);
        }
        let response = match Box::pin(self.act(route.operation, &call)).await {
            Ok(response) => response,
            Err(problem) => Response::problem(&problem, request.id()),
        };
        keyed.end(&self.counters, &response).await;
        Ok(response)
    }

    async fn act(&self, operation: Operation, call: &ApiCall<'_>) -> Result<Response, Problem> {
        match operation {
            Operation::ListRecipients => self.list_recipients(call).await,
            Operation::LookUpRecipients => self.look_up_recipients(call).await,
            Operation::GetRecipient => self.get_recipient(call).await,
            Operation::PutRecipient => self.put_recipient(call).await,
            Operation::PatchRecipient => self.patch_recipient(call).await,
            Operation::DeleteRecipient => self.delete_recipient(call).await,
            Operation::ListDevices => self.list_devices(call).await,
            Operation::PutDevice => self.put_device(call).await,
            Operation::DeleteDevice => self.delete_device(call).await,
            Operation::CloseSockets => self.close_sockets(call).await,
            Operation::ListInbox => self.list_inbox(call).await,
            Operation::CountInbox => self.count_inbox(call).await,
            Operation::MarkInbox => self.mark_inbox(call).await,
            Operation::ListReceived => self.list_received(call).await,
            Operation::GetPreferences => self.get_preferences(call).await,
            Operation::PutPreferences => self.put_preferences(call).await,
            Operation::PatchPreferences => self.patch_preferences(call).await,
            Operation::GetTenant => self.get_tenant(call).await,
            Operation::PutTenant => self.put_tenant(call).await,
            Operation::IssueTicket => self.issue_ticket(call).await,
            Operation::Publish => self.publish(call).await,
            Operation::ListDeliveries => self.list_deliveries(call).await,
            Operation::Retry => self.retry(call).await,
            Operation::ListEndpoints => self.list_endpoints(call).await,
            Operation::GetEndpoint => self.get_endpoint(call).await,
            Operation::PutEndpoint => self.put_endpoint(call).await,
            Operation::DeleteEndpoint => self.delete_endpoint(call).await,
            Operation::RotateSecret => self.rotate_secret(call).await,
            Operation::EnableEndpoint => self.enable_endpoint(call).await,
            Operation::DisableEndpoint => self.disable_endpoint(call).await,
            Operation::PingEndpoint => self.ping_endpoint(call).await,
            Operation::VerifyEndpoint => self.verify_endpoint(call).await,
            Operation::ListAttempts => self.list_attempts(call).await,
            Operation::RetryMessage => self.retry_message(call).await,
            Operation::RecoverMessages => self.recover_messages(call).await,
        }
    }
}
