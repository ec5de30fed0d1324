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
    // Only where the browser has service workers: not on a page without https.
    if (!('serviceWorker' in navigator)) return;
    const { serviceWorker } = navigator;
    // The page of a first visit is served by none, and the first that takes charge of it is of its own version.
    let isServed = hasUpdate || serviceWorker.controller !== null;
    // Whichever tab takes an update takes it for all of them, also before they know of it: the files of this page's
    // version are gone then.
    const follow = () => {
      if (isServed) location.reload();
      isServed = true;
    };
    serviceWorker.addEventListener('controllerchange', follow);
    return () => serviceWorker.removeEventListener('controllerchange', follow);
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
