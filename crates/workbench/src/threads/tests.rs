use super::*;
use std::sync::mpsc;

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

/// Work that says when it has begun and ends when it is told to.
fn gated() -> (impl FnOnce(&AtomicBool) + Send + 'static, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (begun, has_begun) = mpsc::channel();
    let (go, may_go) = mpsc::channel::<()>();
    let work = move |_: &AtomicBool| {
        begun.send(()).unwrap();
        let _ = may_go.recv();
    };
    (work, has_begun, go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_fills_its_share_leaves_the_other_threads_to_others() {
    let bench = Workbench::with_threads(2).unwrap();
    let (work, has_begun, go) = gated();
    let busy = bench.clone();
    let busy = tokio::spawn(async move { busy.run(&tenant("busy"), work).await });
    has_begun.recv().unwrap();
    // More of the same tenant waits, although a thread is free…
    let (second, second_has_begun, second_go) = gated();
    let more = bench.clone();
    let more = tokio::spawn(async move { more.run(&tenant("busy"), second).await });
    // …which another tenant gets at once.
    assert_eq!(bench.run(&tenant("other"), |_| 7).await, Ok(7));
    assert!(second_has_begun.try_recv().is_err());
    go.send(()).unwrap();
    second_has_begun.recv().unwrap();
    second_go.send(()).unwrap();
    assert_eq!((busy.await.unwrap(), more.await.unwrap()), (Ok(()), Ok(())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_single_thread_tenants_take_turns() {
    let bench = Workbench::with_threads(1).unwrap();
    let (work, has_begun, go) = gated();
    let first = bench.clone();
    let first = tokio::spawn(async move { first.run(&tenant("busy"), work).await });
    has_begun.recv().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for name in ["busy", "busy", "busy", "other"] {
        let order = order.clone();
        let mut run = Box::pin({
            let (bench, name) = (bench.clone(), tenant(name));
            async move {
                let note = name.to_string();
                bench.run(&name, move |_| order.lock().unwrap().push(note)).await
            }
        });
        // Puts it into the queue.
        assert!(timeout(Duration::ZERO, &mut run).await.is_err());
        waiting.push(run);
    }
    go.send(()).unwrap();
    for run in waiting {
        run.await.unwrap();
    }
    first.await.unwrap().unwrap();
    assert_eq!(*order.lock().unwrap(), ["busy", "other", "busy", "busy"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_an_answer_does_not_wait_for_long_work_nor_for_those_who_compute_much() {
    let bench = Workbench::with_threads(1).unwrap();
    let (work, has_begun, go) = gated();
    let preparing = bench.clone();
    let preparing = tokio::spawn(async move { preparing.prepare(&tenant("busy"), work).await });
    has_begun.recv().unwrap();
    // Of the same tenant too.
    assert_eq!(bench.run(&tenant("busy"), |_| thread_name()).await.unwrap(), "misy-agents-0");
    go.send(()).unwrap();
    preparing.await.unwrap().unwrap();

    let compute = |_: &AtomicBool| {
        let end = processor_time() + Duration::from_millis(600);
        while processor_time() < end {}
        thread_name()
    };
    assert_eq!(bench.run(&tenant("busy"), compute).await.unwrap(), "misy-agents-0");
    assert_eq!(bench.run(&tenant("busy"), compute).await.unwrap(), "misy-patient-0");
    assert_eq!(bench.run(&tenant("calm"), |_| thread_name()).await.unwrap(), "misy-agents-0");
}

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_panic_ends_its_own_work_only() {
    let (bench, a) = (Workbench::with_threads(1).unwrap(), tenant("alone"));
    // Without the hook, which would only fill the output.
    let panics = bench.run(&a, |_| std::panic::resume_unwind(Box::new(())));
    assert_eq!(panics.await, Err::<(), _>(Unfinished::Panicked));
    assert_eq!(bench.run(&a, |_| 1).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_nobody_waits_for_is_told_to_stop_or_never_begun() {
    let (bench, a) = (Workbench::with_threads(1).unwrap(), tenant("alone"));
    let (begun, has_begun) = mpsc::channel();
    let (ended, has_ended) = mpsc::channel();
    let run = bench.run(&a, move |stop| {
        begun.send(()).unwrap();
        while !stop.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        ended.send(()).unwrap();
    });
    let mut run = Box::pin(run);
    assert!(timeout(Duration::ZERO, &mut run).await.is_err());
    has_begun.recv().unwrap();
    let mut never = Box::pin(bench.run(&a, |_| panic!("nobody waits for it")));
    assert!(timeout(Duration::ZERO, &mut never).await.is_err());
    drop(never);
    drop(run);
    has_ended.recv().unwrap();
    assert_eq!(bench.run(&a, |_| 1).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_much_of_one_tenant_waits() {
    let bench = Workbench::with_threads(1).unwrap();
    let (work, has_begun, go) = gated();
    let first = bench.clone();
    let first = tokio::spawn(async move { first.run(&tenant("alone"), work).await });
    has_begun.recv().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..MOST_WAITING {
        let mut run = Box::pin({
            let bench = bench.clone();
            async move { bench.run(&tenant("alone"), |_| ()).await }
        });
        assert!(timeout(Duration::ZERO, &mut run).await.is_err());
        waiting.push(run);
    }
    assert_eq!(bench.run(&tenant("alone"), |_| ()).await, Err(Unfinished::Full));
    go.send(()).unwrap();
    first.await.unwrap().unwrap();
    for run in waiting {
        run.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_vector_is_made_at_a_time_and_tenants_take_turns() {
    let bench = Workbench::with_threads(4).unwrap();
    let (work, has_begun, go) = gated();
    let first = bench.clone();
    let first = tokio::spawn(async move { first.vector(&tenant("busy"), work).await });
    has_begun.recv().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for name in ["busy", "busy", "busy", "other"] {
        let order = order.clone();
        let mut run = Box::pin({
            let (bench, name) = (bench.clone(), tenant(name));
            async move {
                let note = name.to_string();
                bench.vector(&name, move |_| order.lock().unwrap().push(note)).await
            }
        });
        // Puts it into the queue.
        assert!(timeout(Duration::ZERO, &mut run).await.is_err());
        waiting.push(run);
    }
    // Other work is done meanwhile, on the threads that are left.
    assert_eq!(bench.prepare(&tenant("other"), |_| 7).await, Ok(7));
    assert!(order.lock().unwrap().is_empty());
    go.send(()).unwrap();
    for run in waiting {
        run.await.unwrap();
    }
    first.await.unwrap().unwrap();
    assert_eq!(*order.lock().unwrap(), ["busy", "other", "busy", "busy"]);
}
