import { useRegisterSW } from 'virtual:pwa-register/react';
import { useEffect, useState } from 'react';

/** What Chromium offers before it installs an app; not in the DOM types. */
interface InstallPrompt extends Event {
  prompt(): Promise<void>;
}

/** Works offline, can be installed, has a new version: says so when it is true. */
export function PwaNotice() {
  const {
    needRefresh: [hasUpdate],
    offlineReady: [isOfflineReady, setOfflineReady],
    updateServiceWorker,
  } = useRegisterSW({
    // It would reload only where an older version was when the page was loaded: that is left to the effect below.
    onNeedReload: () => undefined,
  });
  const [install, setInstall] = useState<InstallPrompt>();

  useEffect(() => {
    const offer = (event: Event) => {
      event.preventDefault();
      setInstall(event as InstallPrompt);
    };
    addEventListener('beforeinstallprompt', offer);
    return () => removeEventListener('beforeinstallprompt', offer);
  }, []);

  useEffect(() => {
    if (!hasUpdate) return;
    // Whichever tab takes the update takes it for all of them: the files of this page's version are gone then.
    const reload = () => location.reload();
    navigator.serviceWorker.addEventListener('controllerchange', reload, { once: true });
    return () => navigator.serviceWorker.removeEventListener('controllerchange', reload);
  }, [hasUpdate]);

  if (hasUpdate) {
    return (
      <div className="notice" role="status">
        <p>A new version is ready. What you have saved stays as it is.</p>
        <button type="button" onClick={() => void updateServiceWorker()}>
          Reload with the new version
        </button>
      </div>
    );
  }
  if (!isOfflineReady && install === undefined) return null;
  const dismiss = () => {
    setOfflineReady(false);
    setInstall(undefined);
  };
  return (
    <div className="notice" role="status">
      <p>
        {isOfflineReady ? 'This app works without a network from now on.' : 'This app can be installed on this device.'}
      </p>
      {install !== undefined && (
        <button type="button" onClick={() => void install.prompt().then(dismiss)}>
          Install it
        </button>
      )}
      <button type="button" className="plain" onClick={dismiss}>
        Dismiss
      </button>
    </div>
  );
}
