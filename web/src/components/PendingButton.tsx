import { Button, type ButtonProps } from "react-aria-components";

interface PendingButtonProps extends Omit<ButtonProps, "isPending" | "className"> {
  className: string;
  /** What it does is under way: another press does nothing. It keeps the focus, and may vanish when done. */
  pending: boolean;
}

export function PendingButton({ pending, className, onPress, ...props }: PendingButtonProps) {
  return (
    <Button
      {...props}
      className={pending ? `${className} pending` : className}
      onPress={(event) => {
        if (!pending) onPress?.(event);
      }}
    />
  );
}
